//! `schema`: prints the JSON Schema of a format. The files under `schemas/` are its output.

use crate::engine::Event;
use crate::error::{CommandError, ExitStatus};
use crate::plan::file::PlanFile;
use crate::report::RunSummary;
use crate::report::json::Report;
use crate::report::worklist::Worklist;
use crate::{campaign, intake};

use super::args::{SchemaArgs, SchemaName};
use super::output::Output;

/// A line of `run --json`: an event, or at the end the summary.
#[derive(schemars::JsonSchema, serde::Serialize)]
#[serde(untagged)]
#[schemars(title = "Line of `callrounds run --json`")]
enum JsonLine {
    /// Something that happened.
    #[allow(dead_code, reason = "used for its schema only")]
    Event(Event),
    /// The last line.
    #[allow(dead_code, reason = "used for its schema only")]
    Summary(Box<RunSummary>),
}

impl SchemaName {
    /// The name of the file under `schemas/`.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign.schema.json",
            Self::ListRow => "list-row.schema.json",
            Self::Report => "report.schema.json",
            Self::Events => "events.schema.json",
            Self::Plan => "plan.schema.json",
            Self::Worklist => "worklist.schema.json",
        }
    }

    /// The schema, formatted as in the file.
    ///
    /// # Panics
    /// Never: a schema is made of JSON values.
    #[must_use]
    pub fn document(self) -> String {
        let schema = match self {
            Self::Campaign => campaign::schema(),
            Self::ListRow => intake::row_schema(),
            Self::Report => schemars::schema_for!(Report),
            Self::Events => schemars::schema_for!(JsonLine),
            Self::Plan => schemars::schema_for!(PlanFile),
            Self::Worklist => schemars::schema_for!(Worklist),
        };
        serde_json::to_string_pretty(&schema).expect("a schema is made of JSON values") + "\n"
    }
}

pub(super) fn print(args: &SchemaArgs, output: Output) -> Result<ExitStatus, CommandError> {
    output.data(&args.name.document())?;
    Ok(ExitStatus::Done)
}

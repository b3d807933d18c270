//! `schema`: the JSON Schema of a format. The files under `schemas/` are what this prints.

use crate::engine::Event;
use crate::error::{Exit, Stop};
use crate::plan::file::PlanFile;
use crate::report::Summary;
use crate::report::json::Report;
use crate::{campaign, intake};

use super::args::{Schema, SchemaName};
use super::output::Output;

/// A line of `run --json`: an event, or at the end the summary.
#[derive(schemars::JsonSchema, serde::Serialize)]
#[serde(untagged)]
#[schemars(title = "Line of `callrounds run --json`")]
enum Line {
    /// Something that happened.
    #[allow(dead_code, reason = "only the schema is wanted")]
    Event(Event),
    /// The last line.
    #[allow(dead_code, reason = "only the schema is wanted")]
    Summary(Box<Summary>),
}

impl SchemaName {
    /// The file under `schemas/`.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign.schema.json",
            Self::ListRow => "list-row.schema.json",
            Self::Report => "report.schema.json",
            Self::Events => "events.schema.json",
            Self::Plan => "plan.schema.json",
        }
    }

    /// The schema, as the file has it.
    ///
    /// # Panics
    /// Never: a schema is made of JSON values.
    #[must_use]
    pub fn document(self) -> String {
        let schema = match self {
            Self::Campaign => campaign::schema(),
            Self::ListRow => intake::row_schema(),
            Self::Report => schemars::schema_for!(Report),
            Self::Events => schemars::schema_for!(Line),
            Self::Plan => schemars::schema_for!(PlanFile),
        };
        serde_json::to_string_pretty(&schema).expect("a schema is made of JSON values") + "\n"
    }
}

pub(super) fn print(args: &Schema, output: Output) -> Result<Exit, Stop> {
    output.data(&args.name.document())?;
    Ok(Exit::Done)
}

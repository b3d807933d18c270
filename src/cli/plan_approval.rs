//! `run --plan`: the calls of an approved plan are placed only if a plan made now would have the same calls.

use std::path::Path;

use serde::Deserialize;

use crate::campaign::Campaign;
use crate::error::CommandError;
use crate::ids::RunId;
use crate::intake::{Intake, RowResult};
use crate::ledger::{ApprovedCall, LedgerReader};
use crate::plan::diff::PlanDiff;
use crate::plan::file::{PlanFile, PlanFormat, VERSION};
use crate::visible::DisplayPath;
use crate::wording::io_error;

use super::list_input;
use super::plan_builder::{self, PlanRequest};
use super::session::Session;

/// An approved plan that is still current.
pub(super) struct ApprovedPlan {
    pub(super) plan: String,
    pub(super) calls: Vec<ApprovedCall>,
    /// The unfinished run of this plan, which is continued.
    pub(super) run: Option<RunId>,
}

/// The header that every version of the format has.
#[derive(Deserialize)]
struct PlanHeader {
    #[serde(rename = "format")]
    _format: PlanFormat,
    version: u32,
}

/// Reads a plan and refuses it if the campaign, the list or the ledger has changed since it was made.
pub(super) async fn load(
    path: &Path,
    campaign: &Campaign,
    intake: &Intake<'_>,
    session: &Session,
) -> Result<ApprovedPlan, CommandError> {
    let approved = read(path)?;
    if approved.campaign.name != campaign.name {
        return Err(CommandError::Usage(format!(
            "{} is a plan of the campaign {}, but this campaign is {}; nothing was sent",
            path.shown(),
            approved.campaign.name,
            campaign.name
        )));
    }
    let run = session.ledger.run_of_plan(approved.id.clone()).await?;
    let current = current_plan(campaign, intake, session, &approved)?;
    let diff = PlanDiff::between(&approved, &current, run.is_some());
    if !diff.is_empty() {
        return Err(refused(path, &diff));
    }
    let calls =
        approved.approved().ok_or_else(|| CommandError::Usage(not_a_plan(path, "it has an invalid phone number")))?;
    Ok(ApprovedPlan { plan: approved.id, calls, run })
}

/// The plan that `check --plan` would make now.
fn current_plan(
    campaign: &Campaign,
    intake: &Intake<'_>,
    session: &Session,
    approved: &PlanFile,
) -> Result<PlanFile, CommandError> {
    let reader = LedgerReader::open(&session.setup.ledger_path)?;
    let now = session.setup.clock.now();
    let mut planner = plan_builder::planner(campaign, Some(&reader), &PlanRequest { with_messages: true, now })?;
    let mut rows = intake.read().map_err(list_input::refused)?;
    for row in rows.by_ref() {
        if let RowResult::Accepted(entry) = row.map_err(list_input::refused)? {
            planner.take(*entry)?;
        }
    }
    let list = rows.finish().map_err(list_input::refused)?.counts;
    let preview = plan_builder::finish(planner, intake, campaign, Some(&reader), now)?;
    Ok(PlanFile::new(&preview.plan, campaign, list, preview.forecast, approved.id.clone(), now))
}

fn read(path: &Path) -> Result<PlanFile, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::Usage(format!("cannot read the plan {}: {}", path.shown(), io_error(&error))))?;
    // The parser's message could repeat a value, so only its position is shown.
    let at = |error: serde_json::Error| {
        CommandError::Usage(not_a_plan(path, &format!("line {}, column {}", error.line(), error.column())))
    };
    let PlanHeader { version, .. } = serde_json::from_str(&text).map_err(at)?;
    if version != VERSION {
        let what = format!("its format is version {version}, but this program reads version {VERSION}");
        return Err(CommandError::Usage(not_a_plan(path, &what)));
    }
    serde_json::from_str(&text).map_err(at)
}

fn not_a_plan(path: &Path, what: &str) -> String {
    format!(
        "{} is not a valid plan: {what}; nothing was sent. `callrounds check CAMPAIGN --plan FILE` makes a plan",
        path.shown()
    )
}

fn refused(path: &Path, diff: &PlanDiff) -> CommandError {
    let text = format!(
        "the plan {} is out of date; nothing was sent. What has changed since it was made:\n{diff}Make a new plan: \
         `callrounds check CAMPAIGN --plan FILE`",
        path.shown()
    );
    if diff.is_only_the_list() { CommandError::List(text) } else { CommandError::Usage(text) }
}

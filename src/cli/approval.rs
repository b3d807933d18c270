//! `run --plan`: an approved plan is dialled only if it is still what would be dialled.

use std::path::Path;

use serde::Deserialize;

use crate::campaign::Campaign;
use crate::error::Stop;
use crate::ids::RunId;
use crate::intake::{Intake, Step};
use crate::ledger::{Approved, Reader};
use crate::plan::file::{Format, PlanFile, VERSION};
use crate::plan::moved::Moved;
use crate::visible::Shown;

use super::listing;
use super::placing::Session;
use super::planning::{self, Wanted};

/// An approved plan that nothing has moved away from.
pub(super) struct Approval {
    pub(super) plan: String,
    pub(super) calls: Vec<Approved>,
    /// The run of it that was begun, and is gone on with.
    pub(super) begun: Option<RunId>,
}

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "format")]
    _format: Format,
    version: u32,
}

/// Reads a plan, and refuses it if the campaign, the list or the ledger has moved since it was made.
pub(super) async fn of(
    path: &Path,
    campaign: &Campaign,
    intake: &Intake<'_>,
    session: &Session,
) -> Result<Approval, Stop> {
    let approved = read(path)?;
    if approved.campaign.name != campaign.name {
        let of = &approved.campaign.name;
        return Err(Stop::Usage(format!(
            "{} is a plan of the campaign {of}, and this is {}; nothing was sent",
            path.shown(),
            campaign.name
        )));
    }
    let begun = session.ledger.run_of_plan(approved.id.clone()).await?;
    let now = as_of_now(campaign, intake, session, &approved)?;
    let moved = Moved::between(&approved, &now, begun.is_some());
    if !moved.is_nothing() {
        return Err(refused(path, &moved));
    }
    let calls = approved.approved().ok_or_else(|| Stop::Usage(not_a_plan(path, "a number in it is none")))?;
    Ok(Approval { plan: approved.id, calls, begun })
}

/// The plan that would be made now.
fn as_of_now(
    campaign: &Campaign,
    intake: &Intake<'_>,
    session: &Session,
    approved: &PlanFile,
) -> Result<PlanFile, Stop> {
    let reader = Reader::open(&session.ledger_path)?;
    let now = session.clock.now();
    let mut planner = planning::planner(campaign, Some(&reader), &Wanted { scripts: true, now })?;
    let mut reading = intake.read().map_err(listing::refused)?;
    for step in reading.by_ref() {
        if let Step::Accepted(draft) = step.map_err(listing::refused)? {
            planner.take(*draft)?;
        }
    }
    let list = reading.finish().map_err(listing::refused)?.tally;
    let outlook = planning::finish(planner, intake, campaign, Some(&reader), now)?;
    Ok(PlanFile::of(&outlook.plan, campaign, list, outlook.forecast, approved.id.clone(), now))
}

fn read(path: &Path) -> Result<PlanFile, Stop> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Stop::Usage(format!("cannot read the plan {}: {}", path.shown(), error.kind())))?;
    // What a parser says of a value would repeat it: where it stands is enough.
    let at = |error: serde_json::Error| {
        Stop::Usage(not_a_plan(path, &format!("line {}, column {}", error.line(), error.column())))
    };
    let Head { version, .. } = serde_json::from_str(&text).map_err(at)?;
    if version != VERSION {
        let what = format!("its format is version {version}, and this program writes version {VERSION}");
        return Err(Stop::Usage(not_a_plan(path, &what)));
    }
    serde_json::from_str(&text).map_err(at)
}

fn not_a_plan(path: &Path, what: &str) -> String {
    format!(
        "{} is no plan that can be dialled: {what}; nothing was sent. `callrounds check CAMPAIGN --plan FILE` makes one",
        path.shown()
    )
}

fn refused(path: &Path, moved: &Moved) -> Stop {
    let text = format!(
        "{} is not what would be dialled any more; nothing was sent. What has moved since it was made:\n{moved}Make a new \
         plan: `callrounds check CAMPAIGN --plan FILE`",
        path.shown()
    );
    if moved.is_the_list_alone() { Stop::List(text) } else { Stop::Usage(text) }
}

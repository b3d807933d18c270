//! `run`: enrol the list, then place and follow calls.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::error::{Exit, Stop};
use crate::intake::{Setting, Summary};
use crate::ledger::Listed;

use super::api::Api;
use super::args::{Global, Run};
use super::enrolment::{self, Enrolment};
use super::listing::LookedThrough;
use super::output::Output;
use super::{listing, placing, setting};

pub(super) async fn run(args: &Run, global: &Global, output: Output) -> Result<Exit, Stop> {
    let campaign = Arc::new(setting::campaign(&args.campaign)?);
    let api = Api::of(&campaign)?;
    let source = listing::source(args.list.as_deref(), &campaign)?;
    placing::refuse_early(&api, &args.placing)?;
    let session = placing::Session::open(
        setting::ledger_beside(global, &campaign.source.directory),
        Arc::clone(&campaign),
        api,
        &args.placing,
    )
    .await?;

    let circumstances = Setting {
        now: session.clock.now(),
        fiction_allowed: session.api.is_simulated(),
        check_age: !session.clock.is_invented(),
    };
    let intake = listing::open(&source, &campaign, circumstances)?;
    let rejects = listing::rejects_path(&campaign, &session.ledger_path);
    let left_out = listing::left_out(intake.left_out());
    if !left_out.is_empty() {
        output.say(left_out.trim());
    }
    let is_asked = session.asks(args.placing.yes);
    if is_asked {
        // Nothing is recorded before somebody has said yes.
        let LookedThrough { rejected, found } = listing::look_through(&intake, &rejects, drop)?;
        say_rejected(rejected, &rejects, output);
        session.ask(calls(&found?), output)?;
    }
    let Enrolment { rejected, enrolled } =
        enrolment::enrol(&intake, &session.ledger, &campaign, &rejects, session.clock.now()).await?;
    if !is_asked {
        say_rejected(rejected, &rejects, output);
    }
    let (Listed { run, withdrawn, .. }, found) = enrolled?;
    if withdrawn > 0 {
        tracing::info!(withdrawn, "entries are not on this list any more");
    }
    if !is_asked {
        session.announce(calls(&found), output);
    }
    session.place(run, output).await
}

fn say_rejected(rejected: u64, rejects: &Path, output: Output) {
    if rejected > 0 {
        let rows = if rejected == 1 { "1 row" } else { &format!("{rejected} rows") };
        output.say(&format!("{rows} of the list cannot be used; why stands in {}", rejects.display()));
    }
}

/// How many calls a list is good for at most.
fn calls(found: &Summary) -> u64 {
    found.tally.accepted - found.kept_by.values().sum::<u64>()
}

/// What a person is asked before live calls are placed.
pub(super) fn question(campaign: &Campaign, calls: u64, until: Option<DateTime<Utc>>) -> String {
    let local = |at: DateTime<Utc>| campaign.practice.zone.local(at).format("%a %Y-%m-%d %H:%M").to_string();
    let window = campaign.calling.window;
    format!(
        "{}: live calls to at most {calls} patients or households of {},\nfrom {}, between {} and {} ({}){}.",
        campaign.name,
        campaign.practice.name,
        campaign.practice.from_number.expose(),
        window.start.format("%H:%M"),
        window.end.format("%H:%M"),
        campaign.practice.zone.name(),
        until.map_or_else(|| ", not before the window opens".into(), |at| format!(", until {}", local(at))),
    )
}

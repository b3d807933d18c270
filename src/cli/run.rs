//! `run`: enrol the list, then place and follow calls.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::engine::exclusions::{Exclusions, Nobody};
use crate::error::{Exit, Stop};
use crate::intake::{Setting, Summary};
use crate::ledger::Listed;
use crate::visible::Shown;

use super::api::Api;
use super::approval::{self, Approval};
use super::args::{Global, Run};
use super::enrolment::{self, Enrolment};
use super::exclude::ExcludeFile;
use super::listing::LookedThrough;
use super::output::Output;
use super::{listing, placing, setting};

pub(super) async fn run(args: &Run, global: &Global, output: Output) -> Result<Exit, Stop> {
    let campaign = Arc::new(setting::campaign_for(&args.campaign, args.rehearse)?);
    let api = Api::of(&campaign, args.rehearse)?;
    let source = listing::source(args.list.as_deref(), &campaign)?;
    placing::refuse_early(&api, &args.placing)?;
    let directory = &campaign.source.directory;
    let ledger = if args.rehearse {
        setting::rehearsal_ledger_beside(global, directory)
    } else {
        setting::ledger_beside(global, directory)
    };
    if args.rehearse {
        output.say(&format!("a rehearsal: nobody is called, and its ledger is {}", ledger.shown()));
    }
    let rejects = if args.rehearse {
        listing::rejects_of_rehearsal(&campaign, &ledger)
    } else {
        listing::rejects_path(&campaign, &ledger)
    };
    listing::refuse_strangers(&rejects)?;
    listing::refuse_lists(&rejects, args.exclude.as_deref(), &campaign)?;
    let session = placing::Session::open(ledger, Arc::clone(&campaign), api, &args.placing, output).await?;

    let circumstances = Setting {
        now: session.clock.now(),
        fiction_allowed: session.api.is_rehearsal(),
        check_age: !session.clock.is_invented(),
    };
    let (mut exclusions, excluded): (Box<dyn Exclusions>, _) = match &args.exclude {
        Some(path) => {
            let (file, excluded) = ExcludeFile::open(path, &campaign, session.clock.now())?;
            (Box::new(file), Some(excluded))
        }
        None => (Box::new(Nobody), None),
    };
    let intake = listing::open(&source, &campaign, circumstances)?.without(excluded);
    let left_out = listing::left_out(intake.left_out());
    if !left_out.is_empty() {
        output.say(left_out.trim());
    }
    // Whoever is asked, and whatever a plan is compared with, comes before anything is recorded.
    let is_looked_through = session.asks(args.placing.yes) || args.plan.is_some();
    let mut approval = None;
    if is_looked_through {
        let LookedThrough { rejected, found } = listing::look_through(&intake, &rejects, drop)?;
        say_rejected(rejected, &rejects, output);
        let found = found?;
        if let Some(path) = &args.plan {
            approval = Some(approval::of(path, &campaign, &intake, &session).await?);
        }
        session.confirm(calls(&found, approval.as_ref()), args.placing.yes, output)?;
    }
    if let Some(run) = approval.as_ref().and_then(|approval| approval.begun) {
        let run = session.ledger.reopen_run(Some(run)).await?.handle;
        return session.place(run, exclusions.as_mut(), output).await;
    }
    let plan = approval.map(|Approval { plan, calls, .. }| (plan, calls));
    let now = session.clock.now();
    let Enrolment { rejected, enrolled } =
        enrolment::enrol(&intake, &session.ledger, &campaign, plan, &rejects, now).await?;
    if !is_looked_through {
        say_rejected(rejected, &rejects, output);
    }
    let (Listed { run, .. }, found) = enrolled?;
    if !is_looked_through {
        session.announce(calls(&found, None), output);
    }
    session.place(run, exclusions.as_mut(), output).await
}

fn say_rejected(rejected: u64, rejects: &Path, output: Output) {
    if rejected > 0 {
        let rows = if rejected == 1 { "1 row" } else { &format!("{rejected} rows") };
        output.say(&format!("{rows} of the list cannot be used; why stands in {}", rejects.shown()));
    }
}

/// How many calls a list is good for at most, or a plan of it.
fn calls(found: &Summary, approval: Option<&Approval>) -> u64 {
    let of_list = || found.tally.accepted - found.kept_by.values().sum::<u64>();
    approval.map_or_else(of_list, |approval| approval.calls.len() as u64)
}

/// What a person is asked before live calls are placed.
pub(super) fn question(campaign: &Campaign, calls: u64, until: Option<DateTime<Utc>>) -> String {
    let local = |at: DateTime<Utc>| campaign.practice.zone.local(at).format("%a %Y-%m-%d %H:%M").to_string();
    let window = campaign.calling.window;
    let practice = &campaign.practice;
    let whose = match campaign.lines.iter().count() {
        0 => format!("{},\nfrom {}", practice.name, practice.from_number.expose()),
        locations => {
            let organisations = campaign.lines.accounts().len();
            format!("{},\nfrom {locations} locations on the budgets of {organisations} organisations", practice.name)
        }
    };
    format!(
        "{}: live calls to at most {calls} patients or households of {whose}, between {} and {} ({}){}.",
        campaign.name,
        window.start.format("%H:%M"),
        window.end.format("%H:%M"),
        if campaign.lines.are_written() { "each location's own time" } else { practice.zone.name() },
        until.map_or_else(|| ", not before the window opens".into(), |at| format!(", until {}", local(at))),
    )
}

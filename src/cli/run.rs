//! `run`: enrol the list, then place and follow calls.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Consent};
use crate::clock::Clock;
use crate::engine::exclusions::{Exclusions, Nobody};
use crate::entry::Draft;
use crate::error::{Exit, Stop};
use crate::intake::{Intake, Setting, Step};
use crate::ledger::{Enrolled, Ledger, RunHandle};

use super::api::Api;
use super::approval::Approval;
use super::args::{Global, Run};
use super::exclude::ExcludeFile;
use super::listing::LookedThrough;
use super::output::Output;
use super::{approval, listing, placing, planning, setting};

/// Entries enrolled in one piece of work.
const BATCH: usize = 500;

/// Pieces that may wait for the ledger's thread while the next rows are read.
const AHEAD: usize = 4;

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
    let (mut exclusions, excluded): (Box<dyn Exclusions>, _) = match &args.exclude {
        Some(path) => {
            let (file, excluded) = ExcludeFile::open(path, &campaign, session.clock.now())?;
            (Box::new(file), Some(excluded))
        }
        None => (Box::new(Nobody), None),
    };
    let intake = listing::open(&source, &campaign, circumstances)?.without(excluded);
    let rejects = listing::rejects_path(&campaign, &session.ledger_path);
    let LookedThrough { rejected, found } = listing::look_through(&intake, &rejects)?;
    let left_out = listing::left_out(intake.left_out());
    if !left_out.is_empty() {
        output.say(left_out.trim());
    }
    if rejected > 0 {
        let rows = if rejected == 1 { "1 row" } else { &format!("{rejected} rows") };
        output.say(&format!("{rows} of the list cannot be used; why stands in {}", rejects.display()));
    }
    let found = found?;
    let approval = match &args.plan {
        Some(path) => Some(approval::of(path, &campaign, &intake, &session).await?),
        None => None,
    };
    let kept: u64 = found.kept_by.values().sum();
    let calls = approval.as_ref().map_or(found.tally.accepted - kept, |approval| approval.calls.len() as u64);
    session.confirm(calls, args.placing.yes, output)?;

    if let Some(run) = approval.as_ref().and_then(|approval| approval.begun) {
        let run = session.ledger.reopen_run(Some(run)).await?.handle;
        return session.place(run, exclusions.as_mut(), output).await;
    }
    let attested = intake.consent() == Consent::OnFile;
    let run = session.ledger.begin_run(Arc::clone(&campaign), attested, session.clock.now()).await?;
    let changes = enrol(&intake, &session.ledger, run, session.clock.as_ref()).await?;
    if let Some(Approval { plan, calls, .. }) = approval {
        session.ledger.approve(run, plan, calls).await?;
    }
    session.ledger.note_changes(run, changes).await?;
    let withdraw = planning::withdraws(&campaign, &intake);
    session.ledger.close_list(run, found.tally, withdraw, session.clock.now()).await?;
    session.place(run, exclusions.as_mut(), output).await
}

/// Enrols the list: rows are read and rendered here while the ledger's thread writes those before them. What it changed.
async fn enrol(intake: &Intake<'_>, ledger: &Ledger, run: RunHandle, clock: &dyn Clock) -> Result<Enrolled, Stop> {
    let mut changes = Enrolled::default();
    let mut drafts: Vec<Draft> = Vec::with_capacity(BATCH);
    let mut written = VecDeque::with_capacity(AHEAD);
    for step in intake.read().map_err(listing::refused)? {
        if let Step::Accepted(draft) = step.map_err(listing::refused)? {
            drafts.push(*draft);
        }
        if drafts.len() == BATCH {
            let full = std::mem::replace(&mut drafts, Vec::with_capacity(BATCH));
            written.push_back(ledger.enrol(run, full, clock.now()));
        }
        if written.len() == AHEAD
            && let Some(oldest) = written.pop_front()
        {
            changes = changes.and(oldest.await?);
        }
    }
    written.push_back(ledger.enrol(run, drafts, clock.now()));
    for piece in written {
        changes = changes.and(piece.await?);
    }
    Ok(changes)
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

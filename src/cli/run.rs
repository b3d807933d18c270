//! `run`: enrols the list, then places and follows calls.

use std::path::Path;
use std::sync::Arc;

use crate::engine::ExclusionSource;
use crate::error::{CommandError, ExitStatus};
use crate::intake::IntakeSummary;
use crate::ledger::{EnrolledList, LedgerReader};
use crate::visible::DisplayPath;
use crate::wording::counted;

use super::args::{GlobalArgs, RunArgs};
use super::enrolment::{self, Enrolment};
use super::exclude_file::ExcludeFile;
use super::list_input::ListPass;
use super::output::Output;
use super::plan_approval::{self, ApprovedPlan};
use super::vendor_config::VendorConfig;
use super::{list_input, pause, prompt, session, settings};

pub(super) async fn run(args: &RunArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let campaign = Arc::new(settings::campaign_for(&args.campaign, args.rehearse)?);
    let api = VendorConfig::from_campaign(&campaign, args.rehearse)?;
    let source = list_input::source(args.list.as_deref(), &campaign)?;
    prompt::refuse_early(&api, &args.options, output)?;
    let directory = &campaign.source.directory;
    let (ledger, rejects) = if args.rehearse {
        let ledger = settings::rehearsal_ledger_in(global, directory);
        output.say(&format!("a rehearsal: nobody is called; its ledger is {}", ledger.shown()));
        let rejects = list_input::rehearsal_rejects_path(&campaign, &ledger);
        (ledger, rejects)
    } else {
        let ledger = settings::ledger_in(global, directory);
        let rejects = list_input::rejects_path(&campaign, &ledger);
        (ledger, rejects)
    };
    list_input::refuse_foreign_file(&rejects)?;
    list_input::refuse_list_as_rejects(&rejects, args.exclude.as_deref(), &campaign)?;
    let session = session::Session::open(ledger, Arc::clone(&campaign), api, &args.options, output).await?;

    let context = list_input::context(&campaign, &session.setup.api, &*session.setup.clock);
    let (exclusions, excluded) = match &args.exclude {
        Some(path) => {
            let (file, excluded) = ExcludeFile::open(path, &campaign, session.setup.clock.now())?;
            (Some(Box::new(file) as Box<dyn ExclusionSource>), Some(excluded))
        }
        None => (None, None),
    };
    let reader = LedgerReader::open(&session.setup.ledger_path)?;
    let history = list_input::history(&reader, &campaign)?;
    let intake = list_input::open(&source, &campaign, context)?.with_exclude_list(excluded).with_history(history);
    let skipped = list_input::non_patient_rows(intake.non_patient_lines())
        + &list_input::hidden_rows(intake.hidden_rows())
        + &list_input::other_resources(intake.other_resources());
    for sentence in intake.names_without_column() {
        output.say(&format!("warning: {sentence}"));
    }
    if !skipped.is_empty() {
        output.say(skipped.trim());
    }
    // Confirmation and the comparison with a plan come before anything is recorded, so they need a pass of their own.
    // A paused campaign places no call, so there is nothing to confirm.
    let pause = session.pause().await?;
    if let Some(pause) = &pause {
        output.say(&pause::description(&campaign.name, pause, &campaign.practice.zone));
    }
    let needs_confirmation = pause.is_none() && session.needs_confirmation(args.options.yes);
    let is_read_before = needs_confirmation || args.plan.is_some();
    let mut approval = None;
    if is_read_before {
        let ListPass { rejected, summary } = list_input::read_list(&intake, &rejects, drop)?;
        let summary = summary.map_err(|error| with_rejected(error, rejected, &rejects))?;
        report_rejected(rejected, &rejects, output);
        report_excluded(&summary, output);
        if let Some(path) = &args.plan {
            approval = Some(plan_approval::load(path, &campaign, &intake, &session).await?);
        }
        if pause.is_none() {
            session.confirm(max_calls(&summary, approval.as_ref()), args.options.yes, output)?;
        }
    }
    if let Some(run) = approval.as_ref().and_then(|approval| approval.run) {
        let run = session.ledger.reopen_run(Some(run)).await?.handle;
        // The run must be the last to close the ledger, which empties the write-ahead log.
        drop(intake);
        drop(reader);
        return session.run(run, exclusions, output).await;
    }
    let plan = approval.map(|ApprovedPlan { plan, calls, .. }| (plan, calls));
    let now = session.setup.clock.now();
    let Enrolment { rejected, enrolled } =
        enrolment::enrol(&intake, &session.ledger, &campaign, plan, &rejects, now).await?;
    let (EnrolledList { run, .. }, summary) = enrolled.map_err(|error| with_rejected(error, rejected, &rejects))?;
    if !is_read_before {
        report_rejected(rejected, &rejects, output);
        report_excluded(&summary, output);
    }
    if !is_read_before && pause.is_none() {
        session.announce(max_calls(&summary, None), output);
    }
    drop(intake);
    drop(reader);
    session.run(run, exclusions, output).await
}

fn report_rejected(rejected: u64, rejects: &Path, output: Output) {
    if rejected > 0 {
        output.say(&rejected_rows(rejected, rejects));
    }
}

fn report_excluded(summary: &IntakeSummary, output: Output) {
    if let Some(excluded) = &summary.excluded {
        output.say(&excluded.to_string());
    }
}

/// The error of a refused list, followed by where its rejected rows are.
fn with_rejected(error: CommandError, rejected: u64, rejects: &Path) -> CommandError {
    if let CommandError::List(text) = &error
        && rejected > 0
    {
        return CommandError::List(format!("{text}\n{}", rejected_rows(rejected, rejects)));
    }
    error
}

fn rejected_rows(rejected: u64, rejects: &Path) -> String {
    let rows = counted(rejected, "row of the list was", "rows of the list were");
    format!("{rows} rejected; the reasons are in {}", rejects.shown())
}

/// The greatest number of first calls of a list, or of an approved plan.
fn max_calls(summary: &IntakeSummary, approval: Option<&ApprovedPlan>) -> u64 {
    let of_list = || summary.counts.accepted - summary.not_ready_by.values().sum::<u64>();
    approval.map_or_else(of_list, |approval| approval.calls.len() as u64)
}

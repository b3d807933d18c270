//! The session that `run` and `resume` share: the ledger, the clock, the vendor and the webhooks of a run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::SecondsFormat;

use crate::campaign::Campaign;
use crate::clock::SharedClock;
use crate::engine::{Engine, EngineError, EventSink, ExclusionSource, RunResult, StopReason};
use crate::error::{CommandError, ExitStatus};
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, LedgerReader, RunHandle, RunReport};
use crate::policy::Hours;
use crate::report::progress::{JsonLines, Progress};
use crate::report::{RunSummary, text};

use super::args::RunOptions;
use super::embedded_simulator::CallLogs;
use super::output::Output;
use super::vendor_config::{RemoteApi, VendorConfig};
use super::webhooks::WebhookBinding;
use super::{embedded_simulator, preflight, prompt, run_status, settings, signals};

/// The parts of a run, with its ledger open and locked.
pub(super) struct Session {
    pub(super) ledger: Ledger,
    pub(super) ledger_path: PathBuf,
    pub(super) clock: SharedClock,
    pub(super) api: VendorConfig,
    campaign: Arc<Campaign>,
    webhooks: Option<WebhookBinding>,
    until_done: bool,
    /// The ledger had no event of this campaign when it was opened.
    is_new: bool,
}

impl Session {
    pub(super) async fn open(
        ledger_path: PathBuf,
        campaign: Arc<Campaign>,
        api: VendorConfig,
        options: &RunOptions,
        output: Output,
    ) -> Result<Self, CommandError> {
        if let VendorConfig::Remote(remote) = &api {
            // Missing credentials are reported before the vendor is asked or anything is recorded.
            remote.credentials(&campaign)?;
        }
        let webhooks = options.listen.map(WebhookBinding::open).transpose()?;
        let machine: SharedClock = Arc::new(crate::clock::WallClock);
        let has_ledger = ledger_path.exists();
        if !has_ledger {
            // A new ledger records its creation time first, so the clock is checked before it is created.
            let clock = settings::clock(&api, &options.time, None)?;
            preflight::agree_on_the_time(&campaign, &api, &*clock, output).await?;
        }
        let ledger = Ledger::open(&ledger_path, machine.now())?;
        ledger.keep_kind(api.ledger_kind(), &ledger_path).await?;
        // The embedded simulator has a time of its own for each campaign.
        let newest = match &api {
            VendorConfig::Embedded(_) => ledger.newest_event_of(campaign.name.clone()).await?,
            VendorConfig::Remote(_) => ledger.newest_event().await?,
        };
        let clock = settings::clock(&api, &options.time, newest)?;
        if has_ledger {
            preflight::agree_on_the_time(&campaign, &api, &*clock, output).await?;
            preflight::refuse_future_events(&ledger, &*clock).await?;
        }
        if ledger.mark_was_missing() {
            output.say(&format!("{}; a new one is created", run_status::NO_HIGH_WATER_MARK));
        }
        if let Some(at) = options.time.at.filter(|at| newest.is_some_and(|newest| newest > *at)) {
            output.say(&format!(
                "the ledger has events later than {}, so the clock starts at its newest event, {}",
                at.to_rfc3339_opts(SecondsFormat::Secs, true),
                clock.now().to_rfc3339_opts(SecondsFormat::Secs, true)
            ));
        }
        let until_done = options.until_done || matches!(api, VendorConfig::Embedded(_));
        let is_new = newest.is_none();
        Ok(Self { ledger, ledger_path, clock, api, campaign, webhooks, until_done, is_new })
    }

    /// Whether the calls must be confirmed: live calls, unless `--yes` is given.
    pub(super) fn needs_confirmation(&self, yes: bool) -> bool {
        !yes && !self.api.is_rehearsal()
    }

    /// Prints which live calls are about to be placed; nothing for a rehearsal.
    pub(super) fn announce(&self, calls: u64, output: Output) {
        if !self.api.is_rehearsal() {
            let hours = Hours::for_practice(&self.campaign.calling, &self.campaign.practice.zone);
            output.say(&prompt::question(&self.campaign, calls, hours.closes(self.clock.now())));
        }
    }

    /// Announces the calls and asks for confirmation, unless `--yes` is given.
    pub(super) fn confirm(&self, calls: u64, yes: bool, output: Output) -> Result<(), CommandError> {
        self.announce(calls, output);
        if !self.needs_confirmation(yes) || prompt::is_confirmed() {
            return Ok(());
        }
        Err(CommandError::Usage("not confirmed; nothing was sent".into()))
    }

    /// Places the run's calls and follows them to their end.
    pub(super) async fn run(
        mut self,
        run: RunHandle,
        exclusions: Option<Box<dyn ExclusionSource>>,
        output: Output,
    ) -> Result<ExitStatus, CommandError> {
        let (simulator, remote) = match &self.api {
            VendorConfig::Embedded(settings) => {
                let logs = CallLogs::of_run(self.is_new);
                let running =
                    embedded_simulator::start(&self.campaign, settings, &self.clock, &self.ledger_path, logs)?;
                let remote = RemoteApi::embedded(running.base_url());
                (Some(running), remote)
            }
            VendorConfig::Remote(remote) => (None, remote.clone()),
        };
        let stop = signals::first_signal();
        let vendors = remote.clients(&self.campaign, &self.clock)?;
        self.ledger.remove_old_words(self.clock.now()).await?;
        self.warn_of_unknown_organisations(run, output).await?;
        let (listener, hints) = self.webhooks.take().map(|webhooks| webhooks.serve(output)).unzip();
        let engine = Engine {
            ledger: self.ledger.clone(),
            vendors,
            clock: Arc::clone(&self.clock),
            campaign: Arc::clone(&self.campaign),
            run,
            until_done: self.until_done,
            seed: run.run.0.unsigned_abs(),
            hints,
            exclusions,
        };
        let mut sink = self.event_sink(run, output)?;
        let result = engine.run(sink.as_mut(), stop).await;
        sink.finish();
        drop(listener);
        let result = result.map_err(|error| match error {
            EngineError::Ledger(error) => error.into(),
            EngineError::Panicked | EngineError::NoVendor(_) => CommandError::Internal(error.to_string()),
        })?;
        if let Some(simulator) = simulator {
            simulator.stop().await;
        }
        // A run may last for days.
        self.ledger.remove_old_words(self.clock.now()).await?;
        self.conclude(run, &result, output)
    }

    /// Warns of calls under way of organisations that the campaign no longer has: this run cannot follow them.
    async fn warn_of_unknown_organisations(&self, run: RunHandle, output: Output) -> Result<(), CommandError> {
        let mut unknown: BTreeMap<OrganisationId, u64> = BTreeMap::new();
        for attempt in self.ledger.in_flight(run.campaign).await? {
            if self.campaign.locations.organisation_index(&attempt.organisation, attempt.from).is_none() {
                *unknown.entry(attempt.organisation).or_default() += 1;
            }
        }
        for (organisation, calls) in unknown {
            output.say(&format!(
                "{calls} of the calls under way belong to {organisation}, whose caller id is no longer in the campaign file, so \
                 they cannot be followed: put it back and run again"
            ));
        }
        Ok(())
    }

    fn event_sink(&self, run: RunHandle, output: Output) -> Result<Box<dyn CleanupSink>, CommandError> {
        let zone = self.campaign.practice.zone.clone();
        if output.json {
            return Ok(Box::new(JsonLines::new(std::io::stdout())));
        }
        if output.on_terminal() {
            let counts = self.report(run)?.counts;
            let expected = if self.until_done { counts.unfinished() } else { counts.due_work() };
            return Ok(Box::new(Progress::on_terminal(expected, zone)));
        }
        Ok(Box::new(Progress::in_lines(zone, Box::new(move |line| output.say(line)))))
    }

    fn report(&self, run: RunHandle) -> Result<RunReport, CommandError> {
        Ok(LedgerReader::open(&self.ledger_path)?.run(Some(run.run))?)
    }

    /// Prints the run's summary and turns its end into the command's result.
    fn conclude(&self, run: RunHandle, result: &RunResult, output: Output) -> Result<ExitStatus, CommandError> {
        let mut summary = RunSummary::from_report(&self.report(run)?);
        summary.requests = Some(result.requests);
        summary.exit_code = Some(result.stop_reason.ending().exit().unwrap_or(summary.standing).code());
        if let StopReason::WindowClosed { opens: Some(opens) } = result.stop_reason {
            // Entries that are due while the window is closed are due when it opens.
            summary.next_due = summary.next_due.map(|due| due.max(opens));
        }
        if output.json {
            let line = serde_json::to_string(&summary)
                .map_err(|_| CommandError::Internal("the summary has no JSON".into()))?;
            output.data(&(line + "\n"))?;
        } else {
            output.say(&text::summary(&summary, &self.campaign.practice.zone));
        }
        run_status::command_result(result, summary.standing, self.campaign.locations.are_defined())
    }
}

/// An event sink that cleans up the terminal at the end.
trait CleanupSink: EventSink {
    fn finish(&self) {}
}

impl CleanupSink for Progress {
    fn finish(&self) {
        Progress::finish(self);
    }
}

impl CleanupSink for JsonLines<std::io::Stdout> {}

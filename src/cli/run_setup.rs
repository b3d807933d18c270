//! What a run works with besides its ledger, how it begins to be shown, and how it is concluded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::campaign::Campaign;
use crate::clock::SharedClock;
use crate::engine::{EventSink, RunResult};
use crate::error::{CommandError, ExitStatus};
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, LedgerReader, RunHandle, RunReport};
use crate::plan::next_call;
use crate::report::progress::{JsonLines, Progress};
use crate::report::{RunSummary, text};
use crate::simulator::Running;
use crate::wording::{counted, plural};

use super::embedded_simulator::CallLogs;
use super::output::Output;
use super::vendor_config::{RemoteApi, VendorConfig};
use super::webhooks::WebhookBinding;
use super::{embedded_simulator, run_status};

/// What a run works with besides its ledger.
pub(super) struct RunSetup {
    pub(super) ledger_path: PathBuf,
    pub(super) clock: SharedClock,
    pub(super) api: VendorConfig,
    pub(super) campaign: Arc<Campaign>,
    pub(super) until_done: bool,
    pub(super) webhooks: Option<WebhookBinding>,
    /// The ledger had no event of this campaign when it was opened.
    pub(super) is_new: bool,
}

impl RunSetup {
    /// Whether the run gives the ledger back while it only waits. The embedded simulator's clock skips such times.
    pub(super) fn gives_ledger_back(&self) -> bool {
        match self.api {
            VendorConfig::Embedded(_) => false,
            VendorConfig::Remote(_) => true,
        }
    }

    /// The API that the run calls; starts the embedded simulator if it is that one.
    pub(super) fn start_simulator(&self) -> Result<(Option<Running>, RemoteApi), CommandError> {
        match &self.api {
            VendorConfig::Embedded(settings) => {
                let logs = CallLogs::of_run(self.is_new);
                let running =
                    embedded_simulator::start(&self.campaign, settings, &self.clock, &self.ledger_path, logs)?;
                let remote = RemoteApi::embedded(running.base_url());
                Ok((Some(running), remote))
            }
            VendorConfig::Remote(remote) => Ok((None, remote.clone())),
        }
    }

    /// Warns of calls under way of organisations that the campaign no longer has: this run cannot follow them.
    pub(super) async fn warn_of_unknown_organisations(
        &self,
        ledger: &Ledger,
        run: RunHandle,
        output: Output,
    ) -> Result<(), CommandError> {
        let mut unknown: BTreeMap<OrganisationId, u64> = BTreeMap::new();
        for attempt in ledger.in_flight(run.campaign).await? {
            if self.campaign.locations.organisation_index(&attempt.organisation, attempt.from).is_none() {
                *unknown.entry(attempt.organisation).or_default() += 1;
            }
        }
        for (organisation, calls) in unknown {
            output.say(&format!(
                "{} of {organisation}, whose caller id is no longer in the campaign file, so {} cannot be followed: put it \
                 back and run again",
                counted(calls, "call under way is", "calls under way are"),
                plural(calls, "it", "they"),
            ));
        }
        Ok(())
    }

    pub(super) fn event_sink(&self, run: RunHandle, output: Output) -> Result<Box<dyn CleanupSink>, CommandError> {
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
    pub(super) fn conclude(
        &self,
        run: RunHandle,
        result: &RunResult,
        output: Output,
    ) -> Result<ExitStatus, CommandError> {
        let reader = LedgerReader::open(&self.ledger_path)?;
        let next = next_call(&reader, &self.campaign, self.clock.now())?;
        let mut summary = RunSummary::from_report(&reader.run(Some(run.run))?, next);
        summary.requests = Some(result.requests);
        // What is left is left to the later run, if there is one.
        let later = summary.next_run.and(reader.newest_run_of(&self.campaign.name)?);
        let standing = later.map_or(summary.standing, |later| RunSummary::from_report(&later, None).standing);
        summary.exit_code = Some(result.stop_reason.ending().exit().unwrap_or(standing).code());
        if output.json {
            let line = serde_json::to_string(&summary)
                .map_err(|_| CommandError::Internal("the summary has no JSON".into()))?;
            output.data(&(line + "\n"))?;
        } else {
            output.say(&text::summary(&summary, &self.campaign.practice.zone));
        }
        run_status::command_result(result, standing, self.campaign.locations.are_defined())
    }
}

/// An event sink that cleans up the terminal at the end.
pub(super) trait CleanupSink: EventSink {
    fn finish(&self) {}
}

impl CleanupSink for Progress {
    fn finish(&self) {
        Progress::finish(self);
    }
}

impl CleanupSink for JsonLines<std::io::Stdout> {}

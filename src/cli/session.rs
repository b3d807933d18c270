//! The session that `run` and `resume` share: the ledger, the clock, the vendor and the webhooks of a run.
//! [`RunSegments`] is the run itself.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::SecondsFormat;

use crate::campaign::Campaign;
use crate::engine::ExclusionSource;
use crate::error::{CommandError, ExitStatus};
use crate::ledger::{Ledger, Pause, RunHandle};
use crate::policy::Hours;

use super::args::RunOptions;
use super::output::Output;
use super::run_segments::{Carried, RunSegments};
use super::run_setup::RunSetup;
use super::vendor_config::VendorConfig;
use super::webhooks::WebhookBinding;
use super::{ledger_lock, preflight, prompt, run_segments, run_status, settings, signals};

/// A run before it starts, with its ledger open and locked.
pub(super) struct Session {
    pub(super) ledger: Ledger,
    pub(super) setup: RunSetup,
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
        let has_ledger = ledger_path.exists();
        if !has_ledger {
            // A new ledger records its creation time first, so the clock is checked before it is created.
            let clock = settings::clock(&api, &options.time, None)?;
            preflight::agree_on_the_time(&campaign, &api, &*clock, output).await?;
        }
        let ledger = tokio::select! {
            ledger = ledger_lock::open(&ledger_path, options.wait, output) => ledger?,
            () = signals::stop_signal() => {
                return Err(CommandError::NotStarted("interrupted; nothing was enrolled and nobody was called".into()));
            }
        };
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
        let setup = RunSetup { ledger_path, clock, api, campaign, until_done, webhooks, is_new };
        Ok(Self { ledger, setup })
    }

    /// Whether the calls must be confirmed: live calls, unless `--yes` is given.
    pub(super) fn needs_confirmation(&self, yes: bool) -> bool {
        !yes && !self.setup.api.is_rehearsal()
    }

    /// The campaign's pause, if it is paused.
    pub(super) async fn pause(&self) -> Result<Option<Pause>, CommandError> {
        let RunSetup { campaign, clock, .. } = &self.setup;
        Ok(self.ledger.pause_of(campaign.name.clone(), clock.now()).await?)
    }

    /// Prints which live calls are about to be placed; nothing for a rehearsal.
    pub(super) fn announce(&self, calls: u64, output: Output) {
        let RunSetup { api, campaign, clock, .. } = &self.setup;
        if !api.is_rehearsal() {
            let hours = Hours::for_practice(&campaign.calling, &campaign.practice.zone);
            output.say(&prompt::question(campaign, calls, hours.closes(clock.now())));
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
        self,
        run: RunHandle,
        exclusions: Option<Box<dyn ExclusionSource>>,
        output: Output,
    ) -> Result<ExitStatus, CommandError> {
        let Self { ledger, mut setup } = self;
        let (simulator, remote) = setup.start_simulator()?;
        let stop = run_segments::shared_stop(signals::first_signal());
        let vendors = remote.clients(&setup.campaign, &setup.clock)?;
        setup.warn_of_unknown_organisations(&ledger, run, output).await?;
        let (listener, hints) = setup.webhooks.take().map(|webhooks| webhooks.serve(output)).unzip();
        let mut sink = setup.event_sink(run, output)?;
        let segments = RunSegments { setup: &setup, run, vendors, stop, output };
        let result = segments.run(ledger, Carried { hints, exclusions }, sink.as_mut()).await;
        sink.finish();
        drop(listener);
        let result = result?;
        if let Some(simulator) = simulator {
            simulator.stop().await;
        }
        setup.conclude(run, &result, output)
    }
}

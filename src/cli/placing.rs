//! What `run` and `resume` share: the ledger, the clock and the vendor of a run, its confirmation, its signals, and its
//! end.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::SecondsFormat;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::annie::client::AnnieClient;
use crate::campaign::lines::suffix;
use crate::campaign::{Account, Campaign, SimulatorSettings};
use crate::clock::SharedClock;
use crate::engine::{Ending, Engine, EngineError, Exclusions, Finished, Listener, Refusal};
use crate::error::{Exit, Stop};
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, Reader, RunHandle, RunReport};
use crate::policy::Hours;
use crate::report::progress::{JsonLines, Progress};
use crate::report::{Summary, text};
use crate::simulator::{Running, Settings, Simulator};
use crate::visible::Shown;

use super::api::{Api, Remote, demo_key};
use super::args::Placing;
use super::output::Output;
use super::webhooks::Webhooks;
use super::{preflight, run, setting, simulate};

/// What a run is made with, once its ledger is ours.
pub(super) struct Session {
    pub(super) ledger: Ledger,
    pub(super) ledger_path: PathBuf,
    pub(super) clock: SharedClock,
    pub(super) api: Api,
    campaign: Arc<Campaign>,
    webhooks: Option<Webhooks>,
    until_done: bool,
    /// The ledger held nothing of this campaign before this run.
    fresh: bool,
}

/// What a live run may not do, said before anything is opened: travel in time, or dial without somebody who says yes.
pub(super) fn refuse_early(api: &Api, placing: &Placing) -> Result<(), Stop> {
    if api.is_rehearsal() {
        return Ok(());
    }
    if placing.travel.at.is_some() || placing.travel.speed.is_some() {
        return Err(setting::no_time_travel());
    }
    if placing.yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Stop::Usage("this would place live calls, and nobody is here to be asked: add --yes".into()))
}

impl Session {
    pub(super) async fn open(
        ledger_path: PathBuf,
        campaign: Arc<Campaign>,
        api: Api,
        placing: &Placing,
        output: Output,
    ) -> Result<Self, Stop> {
        if let Api::Remote(remote) = &api {
            // Better known before anything is asked or recorded.
            remote.credentials(&campaign)?;
        }
        let webhooks = placing.listen.map(Webhooks::open).transpose()?;
        let machine: SharedClock = Arc::new(crate::clock::WallClock);
        let is_new = !ledger_path.exists();
        if is_new {
            // The first thing that a ledger says is when it was begun.
            preflight::agree_on_the_time(&campaign, &api, &*setting::clock(&api, &placing.travel, None)?, output)
                .await?;
        }
        let ledger = Ledger::open(&ledger_path, machine.now())?;
        ledger.keep_kind(api.ledger_kind(), &ledger_path).await?;
        // A simulated vendor has a world for each campaign, and a time.
        let newest = match &api {
            Api::Embedded(_) => ledger.newest_event_of(campaign.name.clone()).await?,
            Api::Remote(_) => ledger.newest_event().await?,
        };
        let clock = setting::clock(&api, &placing.travel, newest)?;
        if !is_new {
            preflight::agree_on_the_time(&campaign, &api, &*clock, output).await?;
            preflight::refuse_the_future(&ledger, &*clock).await?;
        }
        if ledger.mark_was_missing() {
            output.say(NO_MARK);
        }
        if let Some(at) = placing.travel.at.filter(|at| newest.is_some_and(|newest| newest > *at)) {
            output.say(&format!(
                "the ledger is past {}: the clock starts where its newest event is, at {}",
                at.to_rfc3339_opts(SecondsFormat::Secs, true),
                clock.now().to_rfc3339_opts(SecondsFormat::Secs, true)
            ));
        }
        let until_done = placing.until_done || matches!(api, Api::Embedded(_));
        let fresh = newest.is_none();
        Ok(Self { ledger, ledger_path, clock, api, campaign, webhooks, until_done, fresh })
    }

    /// Whether somebody is asked before calls are placed: live ones, unless `yes` was said beforehand.
    pub(super) fn asks(&self, yes: bool) -> bool {
        !yes && !self.api.is_rehearsal()
    }

    /// Says what live calls are about to be placed: how many, from which number, in which window, until when.
    pub(super) fn announce(&self, calls: u64, output: Output) {
        if !self.api.is_rehearsal() {
            let closes =
                Hours::of_practice(&self.campaign.calling, &self.campaign.practice.zone).closes(self.clock.now());
            output.say(&run::question(&self.campaign, calls, closes));
        }
    }

    /// The same, and asks whether they are to be placed unless `yes` was said beforehand.
    pub(super) fn confirm(&self, calls: u64, yes: bool, output: Output) -> Result<(), Stop> {
        self.announce(calls, output);
        let is_said = !self.asks(yes) || ask().unwrap_or(false);
        if is_said { Ok(()) } else { Err(Stop::Usage("not confirmed; nothing was sent".into())) }
    }

    /// Places and follows the run's calls to the end.
    pub(super) async fn place(
        mut self,
        run: RunHandle,
        exclusions: &mut dyn Exclusions,
        output: Output,
    ) -> Result<Exit, Stop> {
        let (simulator, remote) = match &self.api {
            Api::Embedded(settings) => {
                let running = self.start_simulator(settings)?;
                let remote = Remote::embedded(running.base_url());
                (Some(running), remote)
            }
            Api::Remote(remote) => (None, remote.clone()),
        };
        let finished = self.run_engine(run, &remote, exclusions, output).await?;
        if let Some(simulator) = simulator {
            simulator.stop().await;
        }
        self.conclude(run, &finished, output)
    }

    fn start_simulator(&self, wanted: &SimulatorSettings) -> Result<Running, Stop> {
        let accounts = self.campaign.lines.accounts().iter();
        let organisations = accounts.map(|account| self.simulated(account, wanted)).collect::<Result<_, Stop>>()?;
        Simulator::start_for_all(organisations, Arc::clone(&self.clock), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .map_err(|error| Stop::Usage(format!("the embedded simulator cannot start: {error}")))
    }

    /// The simulator of one organisation.
    fn simulated(&self, account: &Account, wanted: &SimulatorSettings) -> Result<Settings, Stop> {
        let several = self.campaign.lines.are_written();
        let name = if several { format!(".{}", suffix(account.organisation.as_str())) } else { String::new() };
        let mut log = self.ledger_path.clone().into_os_string();
        log.push(format!(".{}{name}.simulator.jsonl", self.campaign.name));
        let log = PathBuf::from(log);
        if self.fresh && log.exists() {
            // An earlier ledger's vendor: its calls are not this one's.
            std::fs::remove_file(&log).map_err(|error| Stop::Output { what: log.shown(), why: error.kind() })?;
        }
        let world = format!("{}{name}", self.campaign.name);
        let mut settings = Settings { seed: wanted.seed, name: world, log: Some(log), ..Settings::default() };
        settings.rules.zone = account.practices[0].zone.clone();
        settings.from_numbers = account.numbers();
        settings.faults = simulate::faults(&wanted.faults)?;
        if several {
            settings.access.keys = Some(vec![demo_key(&account.organisation).into()]);
        }
        if let Some(people) = &wanted.people {
            settings.people = simulate::people(&self.campaign.source.beside(people))?;
        }
        Ok(settings)
    }

    async fn run_engine(
        &mut self,
        run: RunHandle,
        remote: &Remote,
        exclusions: &mut dyn Exclusions,
        output: Output,
    ) -> Result<Finished, Stop> {
        let stop = first_signal();
        let vendors = self.vendors(remote)?;
        self.name_those_nobody_follows(run, output).await?;
        let taken = self.webhooks.take().map(|webhooks| webhooks.take(output));
        let (_serving, hints) = taken.unzip();
        let engine = Engine {
            ledger: self.ledger.clone(),
            vendors,
            clock: Arc::clone(&self.clock),
            campaign: Arc::clone(&self.campaign),
            run,
            until_done: self.until_done,
            seed: run.run.0.unsigned_abs(),
            hints,
        };
        let mut listener = self.listener(run, output)?;
        let finished = engine.run_without(exclusions, listener.as_mut(), stop).await;
        listener.finish();
        finished.map_err(|error| match error {
            EngineError::Ledger(error) => error.into(),
            EngineError::Panicked | EngineError::NoVendor(_) => Stop::Internal(error.to_string()),
        })
    }

    /// Says that there are calls under way of organisations that the campaign has no line of any more: nobody here can ask
    /// the vendor about them.
    async fn name_those_nobody_follows(&self, run: RunHandle, output: Output) -> Result<(), Stop> {
        let mut left: BTreeMap<OrganisationId, u64> = BTreeMap::new();
        for attempt in self.ledger.under_way(run.campaign).await? {
            if self.campaign.lines.account_of(&attempt.organisation, attempt.from).is_none() {
                *left.entry(attempt.organisation).or_default() += 1;
            }
        }
        for (organisation, calls) in left {
            output.say(&format!(
                "{calls} of the calls under way are {organisation}'s, of which the campaign has no number any more: put it \
                 back and run again, so that they can be followed"
            ));
        }
        Ok(())
    }

    /// A client for each organisation, with its credentials.
    fn vendors(&self, remote: &Remote) -> Result<BTreeMap<OrganisationId, Arc<AnnieClient>>, Stop> {
        let mut vendors: BTreeMap<OrganisationId, Arc<AnnieClient>> = BTreeMap::new();
        let accounts = self.campaign.lines.accounts().iter();
        for (account, credentials) in accounts.zip(remote.credentials(&self.campaign)?) {
            let client = match vendors.values().next() {
                Some(first) => first.beside(credentials).map_err(|problem| Stop::Usage(problem.to_string()))?,
                None => remote.client(credentials, Arc::clone(&self.clock))?,
            };
            vendors.insert(account.organisation.clone(), Arc::new(client));
        }
        Ok(vendors)
    }

    fn listener(&self, run: RunHandle, output: Output) -> Result<Box<dyn Watching>, Stop> {
        let zone = self.campaign.practice.zone.clone();
        if output.json {
            return Ok(Box::new(JsonLines::new(std::io::stdout())));
        }
        if output.on_terminal() {
            let census = self.read(run)?.census;
            let expected = if self.until_done { census.unfinished() } else { census.due_work() };
            return Ok(Box::new(Progress::on_terminal(expected, zone)));
        }
        Ok(Box::new(Progress::in_lines(zone, Box::new(move |line| output.say(line)))))
    }

    fn read(&self, run: RunHandle) -> Result<RunReport, Stop> {
        Ok(Reader::open(&self.ledger_path)?.run(Some(run.run))?)
    }

    /// Says how the run ended, and what that means for the exit code.
    fn conclude(&self, run: RunHandle, finished: &Finished, output: Output) -> Result<Exit, Stop> {
        let mut summary = Summary::of(&self.read(run)?);
        summary.requests = Some(finished.requests);
        summary.exit_code = Some(exit(&finished.ending, summary.standing).code());
        if let Ending::WindowClosed { opens: Some(opens) } = finished.ending {
            // What is due while the window is closed is due when it opens.
            summary.next_due = summary.next_due.map(|due| due.max(opens));
        }
        if output.json {
            let line = serde_json::to_string(&summary).map_err(|_| Stop::Internal("the summary has no JSON".into()))?;
            output.data(&(line + "\n"))?;
        } else {
            output.say(&text::summary(&summary, &self.campaign.practice.zone));
        }
        let exit = exit(&finished.ending, summary.standing);
        match finished.ending {
            Ending::LinesRefused { .. } => {
                let mend = way_out(Refusal::FromNumber, true);
                Err(Stop::VendorRefused(format!("{}; their patients were not called: {mend}", finished.why())))
            }
            Ending::RefusedInARow { refusal, ref locations, .. } => {
                let has_lines = self.campaign.lines.are_written();
                let (mend, scope) = (way_out(refusal, has_lines), scope(finished));
                let whom =
                    if locations.is_empty() { "no further call was placed" } else { "their patients were not called" };
                Err(Stop::VendorRefused(format!("{}; {whom}{scope}: {mend}", finished.why())))
            }
            Ending::Refused(refusal) => {
                let (mend, scope) = (way_out(refusal, self.campaign.lines.are_written()), scope(finished));
                Err(Stop::VendorRefused(format!("{}; no further call was placed{scope}: {mend}", finished.why())))
            }
            Ending::Behind { .. } => {
                Err(Stop::Behind(format!("{}; nobody was called{}. {BEHIND}", finished.why(), scope(finished))))
            }
            Ending::ListProvesNothing { .. } => Err(Stop::ListProvesNothing(finished.why())),
            Ending::Done
            | Ending::WindowClosed { .. }
            | Ending::MaxCalls { .. }
            | Ending::Interrupted
            | Ending::Paused { .. }
            | Ending::StopRule { .. }
            | Ending::Unreachable
            | Ending::Exclusions { .. }
            | Ending::Clock { .. } => Ok(exit),
        }
    }
}

/// Said of a ledger with calls that has no high-water mark beside it.
pub(super) const NO_MARK: &str = "there is no high-water mark beside the ledger, so that an older copy of it would be seen by \
                                  the vendor's list alone; a new mark is begun";

/// What the person on duty can do about a ledger that lacks calls.
const BEHIND: &str = "Put the newest copy of the ledger back, or, if this is the one to go on with, \
                      `callrounds ledger adopt` and run again: it takes those calls over";

/// For whom what stopped a run holds, where it has several organisations.
fn scope(finished: &Finished) -> &'static str {
    if finished.endings.len() > 1 { " for whom that is said" } else { "" }
}

/// What the person on duty can do about it.
pub(super) fn way_out(refusal: Refusal, has_lines: bool) -> &'static str {
    match refusal {
        Refusal::Credentials if has_lines => {
            "look at its ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, which end in its name (README, Many \
             locations), or at its line's key_file, then run again"
        }
        Refusal::Credentials => {
            "look at ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, or the campaign's key file, then run again"
        }
        Refusal::FromNumber if has_lines => {
            "attach their line's from_number to an outbound bot in Annie, or name one that is, then run again"
        }
        Refusal::FromNumber => {
            "attach [practice] from_number to an outbound bot in Annie, or name one that is, then run again"
        }
        Refusal::Address => "look at ANNIE_BASE_URL, then run again",
        Refusal::Account => "settle it with Annie, then run again: whom it refused is called then",
        Refusal::Unexplained => {
            "`callrounds explain` a patient whom it refused quotes its words; whom it refused is called when you run again"
        }
    }
}

/// The exit code of a run: the vendor's refusal before everything else, then what the entries ask for.
fn exit(ending: &Ending, standing: Exit) -> Exit {
    match ending {
        Ending::Refused(_) | Ending::LinesRefused { .. } | Ending::RefusedInARow { .. } => Exit::VendorRefused,
        Ending::Behind { .. } => Exit::Ledger,
        Ending::ListProvesNothing { .. } => Exit::ListProvesNothing,
        Ending::Done
        | Ending::WindowClosed { .. }
        | Ending::MaxCalls { .. }
        | Ending::Interrupted
        | Ending::Paused { .. }
        | Ending::StopRule { .. }
        | Ending::Unreachable
        | Ending::Exclusions { .. }
        | Ending::Clock { .. } => standing,
    }
}

/// A listener that has something to clear away at the end.
trait Watching: Listener {
    fn finish(&self) {}
}

impl Watching for Progress {
    fn finish(&self) {
        Progress::finish(self);
    }
}

impl Watching for JsonLines<std::io::Stdout> {}

fn ask() -> std::io::Result<bool> {
    let mut terminal = anstream::stderr().lock();
    write!(terminal, "Place these calls? Type yes: ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

/// Completes at the first Ctrl-C or SIGTERM, of which none is missed from now on. A second one ends the program at once,
/// which loses nothing: what was under way is settled by the next run.
fn first_signal() -> impl Future<Output = ()> + Send {
    let watched = Signals::watched();
    async move {
        let Some(mut signals) = watched else { return std::future::pending().await };
        signals.next().await;
        // The same watch goes on: a second signal right after the first is not missed.
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(Exit::DueWorkLeft.code().into());
        });
    }
}

/// Completes at Ctrl-C or SIGTERM.
pub(super) async fn stop_signal() {
    match Signals::watched() {
        Some(mut signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Without signal handling the system's own applies: the process ends, and the next run goes on.
    fn watched() -> Option<Self> {
        let interrupt = signal(SignalKind::interrupt()).ok()?;
        let terminate = signal(SignalKind::terminate()).ok()?;
        Some(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

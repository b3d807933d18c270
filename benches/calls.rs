//! Calls with their two durable writes, compared with calls without a ledger and with simpler ledgers on the same machine.
//!
//! `cargo bench --bench calls` places calls at a loopback vendor without a rate limit: bare requests without a ledger,
//! callrounds, the same ledger with one transaction for each write, two scripts with a simple SQLite ledger
//! (`peers/calls.py`, `peers/calls.mjs`), and a job queue in SQLite (`peers/apalis`). Then 40 calls a second, 1,000
//! organisations at 60 requests a minute each, and a ledger with a million entries: the time to the first call, and the peak
//! memory.
//! `-- --calls N --rounds N --organisations N --seconds N --entries N --open N` change the sizes; 0 leaves a part out.

mod common;
#[path = "../tests/fixtures/mod.rs"]
mod fixtures;
#[path = "common/loopback.rs"]
mod loopback;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use callrounds::campaign::Campaign;
use callrounds::clock::{Clock, SharedClock, WallClock};
use callrounds::ending::Ending;
use callrounds::engine::{Engine, Event};
use callrounds::entry::{CallContent, CalledPartyZones, Fact, ListCounts, NewEntry, PatientInfo, Reason, ZoneSource};
use callrounds::ids::{ConversationId, Location, OrganisationId};
use callrounds::ledger::{AttemptUpdate, ClaimRequest, ClaimScope, Ledger, RunHandle};
use callrounds::phone::E164;
use callrounds::vendor::annie::auth::Credentials;
use callrounds::vendor::annie::client::{AnnieClient, ClientSettings};
use callrounds::vendor::{CallRequest, Conversation, Page, ReadError, Reply, Response, Vendor};
use tokio::sync::{Notify, Semaphore};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use self::fixtures::{CONSENT, NO_STOP_RULE, ONE_CALL_EACH, REQUIRED};

use common::{Samples, grouped, on_processor, peak_memory, print_table, python_with, say, sizes_from};
use loopback::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The folder of the ledgers: beside the build, on a real disk.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// Calls a second of the paced run.
const PACE: u32 = 40;

/// The first argument of a child process, which makes one measurement and prints it.
const CHILD: &str = "--do";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [child, what, rest @ ..] = arguments.as_slice()
        && child == CHILD
    {
        return run_child(what, rest);
    }
    let sizes = Sizes::from_arguments(&arguments)?;
    durable(&sizes, 0, 64)?;
    durable(&sizes, 50, 256)?;
    paced(&sizes)?;
    organisations(&sizes)?;
    large(&sizes)
}

/// The sizes of the measurements.
struct Sizes {
    calls: u32,
    rounds: u32,
    organisations: u32,
    seconds: u32,
    entries: u32,
    open: u32,
}

impl Sizes {
    fn from_arguments(arguments: &[String]) -> Result<Self> {
        let mut sizes =
            Self { calls: 20_000, rounds: 5, organisations: 1_000, seconds: 60, entries: 1_000_000, open: 10_000 };
        sizes_from(
            arguments,
            &mut [
                ("--calls", &mut sizes.calls),
                ("--rounds", &mut sizes.rounds),
                ("--organisations", &mut sizes.organisations),
                ("--seconds", &mut sizes.seconds),
                ("--entries", &mut sizes.entries),
                ("--open", &mut sizes.open),
            ],
        )?;
        Ok(sizes)
    }
}

/// A program that places calls, and its measurements.
struct Peer {
    name: &'static str,
    what: &'static str,
    /// It places one in this many of the calls: slow programs would take too long.
    share: u32,
    rate: Samples,
    processor: Samples,
    syncs: Samples,
    missing: Option<String>,
}

impl Peer {
    fn new(name: &'static str, what: &'static str, share: u32) -> Self {
        let (rate, processor, syncs) = (Samples::default(), Samples::default(), Samples::default());
        Self { name, what, share, rate, processor, syncs, missing: None }
    }

    fn row(&self, bare: f64, ours: f64) -> Vec<String> {
        if self.rate.count() == 0 {
            return vec![self.name.into(), self.missing.clone().unwrap_or_else(|| "not asked for".into())];
        }
        let median = |samples: &Samples, digits: usize| {
            if samples.count() == 0 { String::new() } else { format!("{:.digits$}", samples.median()) }
        };
        vec![
            self.name.into(),
            self.rate.count().to_string(),
            grouped(self.rate.median()),
            self.rate.spread(),
            format!("{:.2}", self.rate.median() / bare),
            format!("{:.1} ×", ours / self.rate.median()),
            median(&self.processor, 2),
            median(&self.syncs, 3),
        ]
    }
}

/// Measures calls a second with both durable writes, for each peer in turn.
fn durable(sizes: &Sizes, latency: u64, in_flight: u32) -> Result<()> {
    if sizes.calls == 0 {
        return Ok(());
    }
    let mut peers = [
        Peer::new("bare requests, no ledger", "bare", 1),
        Peer::new("bare requests, connections kept", "kept", 1),
        Peer::new("callrounds", "engine", 1),
        Peer::new("one transaction for each write", "singly", 10),
        Peer::new("Node: fetch and better-sqlite3", "node", 10),
        Peer::new("Python: aiohttp and sqlite3", "python", 10),
        Peer::new("apalis-sqlite", "apalis", 1),
    ];
    // Built now, so that no round waits for the build.
    apalis();
    for _ in 0..sizes.rounds {
        for peer in &mut peers {
            let server = Server::start(latency)?;
            let calls = sizes.calls / peer.share;
            match measured(peer.what, &server.base_url, calls, in_flight)? {
                Ok(Measured { rate, processor, syncs }) => {
                    peer.rate.add(rate);
                    peer.processor.add(processor * 1000.0 / f64::from(calls));
                    if let Some(syncs) = syncs {
                        peer.syncs.add(syncs / f64::from(calls));
                    }
                }
                Err(why) => peer.missing = Some(why),
            }
        }
    }
    say(format_args!("\n{} calls, {latency} ms latency, {in_flight} in flight", grouped(sizes.calls.into())));
    let (bare, ours) = (peers[0].rate.median(), peers[2].rate.median());
    let rows: Vec<_> = peers.iter().map(|peer| peer.row(bare, ours)).collect();
    let head =
        ["what", "rounds", "calls/s", "spread", "of bare", "callrounds is", "processor s per 1,000", "syncs per call"];
    print_table(&head, &rows);
    Ok(())
}

/// Measures processor time at a pace at which the machine idles between calls, so that few calls share a commit.
fn paced(sizes: &Sizes) -> Result<()> {
    if sizes.calls == 0 {
        return Ok(());
    }
    let calls = PACE * sizes.seconds;
    let mut peers =
        [("bare requests, no ledger", "bare-paced", Samples::default()), ("callrounds", "paced", Samples::default())];
    for _ in 0..sizes.rounds.min(3) {
        for (_, what, processor) in &mut peers {
            let server = Server::start(0)?;
            let measured = measured(what, &server.base_url, calls, PACE)??;
            processor.add(measured.processor * 1000.0 / f64::from(calls));
        }
    }
    say(format_args!("\n{PACE} calls a second, for {} s", sizes.seconds));
    let row = |name: &str, processor: &Samples| {
        vec![name.to_owned(), processor.count().to_string(), format!("{:.2}", processor.median()), processor.spread()]
    };
    let rows: Vec<_> = peers.iter().map(|(name, _, processor)| row(name, processor)).collect();
    print_table(&["what", "rounds", "processor s per 1,000", "spread"], &rows);
    Ok(())
}

struct Measured {
    rate: f64,
    processor: f64,
    syncs: Option<f64>,
}

/// Places calls in a process of its own.
fn measured(what: &str, base_url: &str, calls: u32, in_flight: u32) -> Result<std::result::Result<Measured, String>> {
    let folder = tempfile::tempdir_in(FOLDER)?;
    let mut command = match what {
        "node" | "python" => match script(what) {
            Some(command) => command,
            None => return Ok(Err("its libraries cannot be installed here".into())),
        },
        "apalis" => match apalis() {
            Some(program) => Command::new(program),
            None => return Ok(Err("it cannot be built here".into())),
        },
        _ => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args([CHILD, what]);
            command
        }
    };
    command.args([base_url, &calls.to_string(), &in_flight.to_string()]).arg(folder.path().join("ledger.db"));
    let (output, processor) = on_processor(|| command.output())?;
    if !output.status.success() {
        return Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace();
    let rate = words.next().ok_or("no rate")?.parse()?;
    let syncs = words.next().and_then(|syncs| syncs.parse().ok());
    Ok(Ok(Measured { rate, processor: processor.unwrap_or(f64::NAN), syncs }))
}

/// The command of a script, whose libraries are installed beside the build.
fn script(what: &str) -> Option<Command> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers");
    if what == "python" {
        let mut command = Command::new(python_with(FOLDER)?);
        command.arg(peers.join("calls.py"));
        return Some(command);
    }
    let modules = Path::new(FOLDER).join("node");
    std::fs::create_dir_all(&modules).ok()?;
    if !modules.join("node_modules/better-sqlite3").exists() {
        let install = ["install", "--silent", "--no-audit", "--no-fund", "better-sqlite3@12"];
        Command::new("npm").args(install).current_dir(&modules).status().ok().filter(ExitStatus::success)?;
    }
    let script = modules.join("calls.mjs");
    std::fs::copy(peers.join("calls.mjs"), &script).ok()?;
    let mut command = Command::new("node");
    command.arg(script);
    Some(command)
}

/// The job queue, a package of its own because its SQLite and ours cannot be linked into one build. Built once, in a folder
/// beside this build.
fn apalis() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/apalis");
        let folder = Path::new(FOLDER).join("apalis");
        // The cargo that runs this benchmark: another one in the path may be too old.
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&folder)
            .status()
            .ok()
            .filter(ExitStatus::success)?;
        Some(folder.join("release/callrounds-apalis")).filter(|program| program.exists())
    };
    PROGRAM.get_or_init(build).as_deref()
}

/// Runs as a child process.
fn run_child(what: &str, rest: &[String]) -> Result<()> {
    if what == "serve" {
        return loopback::serve(rest);
    }
    if what == "organisations" {
        return loopback::simulate(rest);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let [base_url, calls, in_flight, ledger] = rest else { return Err("wants BASE_URL CALLS IN_FLIGHT LEDGER".into()) };
    let (calls, in_flight) = (calls.parse()?, in_flight.parse()?);
    let ledger = PathBuf::from(ledger);
    match what {
        "bare" => runtime.block_on(bare(base_url, calls, in_flight)),
        "bare-paced" => runtime.block_on(bare_paced(base_url, calls)),
        "kept" => runtime.block_on(kept(base_url, calls, in_flight)),
        "engine" => runtime.block_on(with_the_engine(base_url, calls, in_flight, 60_000_000, &ledger)),
        "paced" => runtime.block_on(with_the_engine(base_url, calls, in_flight, 60 * PACE, &ledger)),
        "singly" => runtime.block_on(singly(base_url, calls, in_flight, &ledger)),
        "open" => runtime.block_on(open_many(base_url, calls, &ledger)),
        "resume" => runtime.block_on(first_call_on_resume(base_url, &ledger)),
        _ => Err(format!("unknown measurement {what}").into()),
    }
}

fn client(base_url: &str) -> Result<AnnieClient> {
    let credentials = Credentials::from_parts(Some(loopback::key(0)), None, None, None)?;
    let settings = ClientSettings { base_url: base_url.to_owned(), ..ClientSettings::new(credentials) };
    Ok(AnnieClient::new(settings, Arc::new(WallClock))?)
}

/// The requests alone, as our client makes them: each on a new connection.
async fn bare(base_url: &str, calls: u32, in_flight: u32) -> Result<()> {
    let client = Arc::new(client(base_url)?);
    by_workers(calls, in_flight, move || {
        let client = Arc::clone(&client);
        async move {
            let reply = client.place(request()).await;
            assert!(matches!(reply.value, Reply::Accepted(_)), "{:?}", reply.value);
        }
    })
    .await
}

/// The same at [`PACE`].
async fn bare_paced(base_url: &str, calls: u32) -> Result<()> {
    let client = client(base_url)?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
    for _ in 0..calls {
        ticks.tick().await;
        let reply = client.place(request()).await;
        assert!(matches!(reply.value, Reply::Accepted(_)), "{:?}", reply.value);
    }
    say(PACE);
    Ok(())
}

/// The requests on connections that are kept open, where a request may be lost because the server has just closed its side.
/// callrounds must not do this; the measurement shows what that costs.
async fn kept(base_url: &str, calls: u32, in_flight: u32) -> Result<()> {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?;
    let (url, body) = (format!("{base_url}/calls"), serde_json::to_string(&content())?);
    by_workers(calls, in_flight, move || {
        let request = client.post(&url).header("content-type", "application/json").body(body.clone());
        async move {
            let answer = request.send().await.expect("an answer").text().await.expect("its text");
            assert!(answer.contains("conversationId"), "{answer}");
        }
    })
    .await
}

/// Makes `calls` calls with `in_flight` workers, and prints calls a second.
async fn by_workers<F>(calls: u32, in_flight: u32, call: impl Fn() -> F + Clone + Send + 'static) -> Result<()>
where
    F: Future<Output = ()> + Send,
{
    let next = Arc::new(AtomicU32::new(0));
    let started = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (call, next) = (call.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < calls {
                    call().await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await?;
    }
    say(f64::from(calls) / started.elapsed().as_secs_f64());
    Ok(())
}

fn request() -> CallRequest {
    CallRequest { from: number(0), to: number(1), content: content() }
}

fn content() -> CallContent {
    CallContent {
        patient: PatientInfo { first_name: "Pat".into(), patient_id: Some("P-1".into()), ..PatientInfo::default() },
        context: Some("Pat is due for a cleaning; last visit in May 2026. Prefers mornings.".into()),
        voicemail: Some("This is Annie from Bright Smile Dental. Please call us back.".into()),
        ..CallContent::default()
    }
}

/// Eight million different numbers; the loopback vendor calls nobody.
fn number(n: u32) -> E164 {
    E164::parse(&format!("+1312{:07}", 2_000_000 + n % 8_000_000)).expect("a number of Chicago")
}

/// The campaign of all measurements: it calls at every hour.
fn campaign(organisations: u32, requests_per_minute: u32, open_calls: u32) -> Arc<Campaign> {
    let calling = "window = \"00:00-23:59\"\nallow_wider = true\nzone_mode = \"row-wins\"\n\
                   days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n";
    let required = REQUIRED.replace("America/Chicago", &zone_at_noon());
    let mut text = format!(
        "{required}{CONSENT}{calling}{ONE_CALL_EACH}\
         [rate]\nrequests_per_minute = {requests_per_minute}\nopen_calls = {open_calls}\n\
         {NO_STOP_RULE}[vendor]\nkind = \"annie\"\n"
    );
    for n in 0..organisations {
        let line = format!("[[line]]\nlocation = \"{n}\"\norganisation = \"{}\"\n", organisation(n));
        text.push_str(&line);
    }
    Arc::new(fixtures::load(&text))
}

fn organisation(n: u32) -> OrganisationId {
    OrganisationId::new(format!("organisation-{n}"))
}

/// A zone in which it is about noon now, so that the vendor's hours are open whenever this is run.
fn zone_at_noon() -> String {
    use chrono::Timelike;
    let hour = i64::from(WallClock.now().hour());
    // The names of these zones have the opposite sign.
    let west = (hour - 12).clamp(-14, 12);
    if west == 0 { "Etc/UTC".into() } else { format!("Etc/GMT{west:+}") }
}

fn new_entry(n: u32, at: Option<u32>) -> NewEntry {
    let base = fixtures::new_entry(n.to_string(), number(n));
    NewEntry {
        organisation: at.map_or(base.organisation, organisation),
        location: at.map(|at| Location::new(at.to_string())),
        zones: CalledPartyZones { zones: vec![zone_at_noon()], regions: Vec::new(), source: ZoneSource::Row },
        content: content(),
        line: u64::from(n) + 2,
        ..base
    }
}

/// A ledger with a run over `entries` patients, spread over the organisations in turn.
async fn enrolled(
    path: &Path,
    campaign: &Arc<Campaign>,
    entries: u32,
    organisations: u32,
) -> Result<(Ledger, RunHandle)> {
    let now = WallClock.now();
    let ledger = Ledger::open(path, now)?;
    let run = ledger.begin_run(Arc::clone(campaign), true, now).await?;
    let numbers: Vec<u32> = (0..entries).collect();
    for chunk in numbers.chunks(10_000) {
        let at = |n: u32| (organisations > 0).then(|| n % organisations.max(1));
        let new_entries: Vec<_> = chunk.iter().map(|n| new_entry(*n, at(*n))).collect();
        ledger.enrol(run, &new_entries, now).await?;
    }
    let tally = ListCounts { read: entries.into(), accepted: entries.into(), ..ListCounts::default() };
    ledger.close_list(run, tally, true, now).await?;
    Ok((ledger, run))
}

/// A vendor that limits the calls in flight.
struct Bounded {
    client: AnnieClient,
    permits: Semaphore,
}

impl Vendor for Bounded {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        let _permit = self.permits.acquire().await.expect("the semaphore is open");
        self.client.place(call).await
    }

    async fn page(&self, offset: u64, limit: u32) -> Response<std::result::Result<Page, ReadError>> {
        self.client.page(offset, limit).await
    }

    async fn conversation(&self, id: &ConversationId) -> Response<std::result::Result<Conversation, ReadError>> {
        self.client.conversation(id).await
    }

    async fn may_call_from(&self, from: E164) -> Response<std::result::Result<Option<bool>, ReadError>> {
        self.client.may_call_from(from).await
    }
}

/// A run's progress, from its events.
#[derive(Default)]
struct Progress {
    dialled: AtomicU32,
    accepted: AtomicU32,
    first: Mutex<Option<Instant>>,
    last: Mutex<Option<Instant>>,
}

impl Progress {
    fn on_event(&self, event: &Event) {
        if let Event::Dialling { .. } = event {
            self.dialled.fetch_add(1, Ordering::Relaxed);
            self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        }
        if let Event::Accepted { .. } = event {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// The time from the first dialled call to the last recorded one.
    fn span(&self) -> Duration {
        let at = |instant: &Mutex<Option<Instant>>| *instant.lock().unwrap_or_else(PoisonError::into_inner);
        at(&self.first).zip(at(&self.last)).map_or(Duration::ZERO, |(first, last)| last - first)
    }
}

/// Runs the engine until `enough` says so.
async fn run_until<V: Vendor>(
    ledger: &Ledger,
    run: RunHandle,
    campaign: &Arc<Campaign>,
    vendors: BTreeMap<OrganisationId, Arc<V>>,
    enough: impl Fn(&Progress) -> bool + Send + Sync,
) -> Result<Arc<Progress>> {
    let clock: SharedClock = Arc::new(WallClock);
    let (progress, done) = (Arc::new(Progress::default()), Arc::new(Notify::new()));
    let (listening, notifying) = (Arc::clone(&progress), Arc::clone(&done));
    let mut listener = move |event: &Event| {
        listening.on_event(event);
        if enough(&listening) {
            notifying.notify_one();
        }
    };
    let (ledger, campaign) = (ledger.clone(), Arc::clone(campaign));
    let engine =
        Engine { ledger, vendors, clock, campaign, run, until_done: true, seed: 1, hints: None, exclusions: None };
    engine.run(&mut listener, async move { done.notified().await }).await?;
    Ok(progress)
}

fn alone<V>(campaign: &Campaign, vendor: V) -> BTreeMap<OrganisationId, Arc<V>> {
    [(campaign.practice.organisation.clone(), Arc::new(vendor))].into()
}

async fn with_the_engine(base_url: &str, calls: u32, in_flight: u32, per_minute: u32, path: &Path) -> Result<()> {
    let campaign = campaign(0, per_minute, 10_000_000);
    let (ledger, run) = enrolled(path, &campaign, calls, 0).await?;
    let vendor = Bounded { client: client(base_url)?, permits: Semaphore::new(in_flight as usize) };
    let commits = Commits::counted();
    let progress = run_until(&ledger, run, &campaign, alone(&campaign, vendor), move |progress| {
        progress.accepted.load(Ordering::Relaxed) >= calls
    })
    .await?;
    say(format_args!("{} {}", f64::from(calls) / progress.span().as_secs_f64(), commits.so_far()));
    Ok(())
}

/// The same ledger, rules and requests, but with one transaction for each write.
async fn singly(base_url: &str, calls: u32, in_flight: u32, path: &Path) -> Result<()> {
    let campaign = campaign(0, 60_000_000, 10_000_000);
    let (ledger, run) = enrolled(path, &campaign, calls, 0).await?;
    let ledger = Arc::new(tokio::sync::Mutex::new(ledger));
    let (client, commits) = (Arc::new(client(base_url)?), Commits::counted());
    let started = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| tokio::spawn(one_by_one(Arc::clone(&ledger), run, Arc::clone(&campaign), Arc::clone(&client))))
        .collect();
    for worker in workers {
        worker.await?;
    }
    let rate = f64::from(calls) / started.elapsed().as_secs_f64();
    say(format_args!("{rate} {}", commits.so_far()));
    Ok(())
}

async fn one_by_one(
    ledger: Arc<tokio::sync::Mutex<Ledger>>,
    run: RunHandle,
    campaign: Arc<Campaign>,
    client: Arc<AnnieClient>,
) {
    let organisation = campaign.practice.organisation.clone();
    loop {
        let request = ClaimRequest {
            run,
            campaign: Arc::clone(&campaign),
            scope: ClaimScope::for_organisation(organisation.clone()),
            now: WallClock.now(),
            limit: 1,
        };
        let claims = ledger.lock().await.claim(request).await.expect("a claim");
        let Some(authorised) = claims.claimed.into_iter().next() else { return };
        let call = CallRequest { from: authorised.from, to: authorised.to, content: authorised.content };
        let (fact, conversation) = match client.place(call).await.value {
            Reply::Accepted(id) => (Fact::Accepted, Some(id)),
            Reply::NotPlaced(_) | Reply::Lost(_) => (Fact::Refused { reason: Reason::VendorRefused }, None),
        };
        let update = AttemptUpdate {
            attempt: authorised.attempt,
            entry: authorised.entry,
            at: WallClock.now(),
            fact,
            conversation,
            started: None,
            ended: None,
            words: None,
            patient_died: false,
            detail: None,
        };
        ledger.lock().await.record(run, vec![update]).await.expect("a record");
    }
}

/// Counts the commits of this process's ledger that changed something: each is one sync of the log.
#[derive(Clone, Default)]
struct Commits(Arc<AtomicU32>);

impl Commits {
    fn counted() -> Self {
        let commits = Self::default();
        // The only subscriber of this process.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(commits.clone()));
        commits
    }

    fn so_far(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl<S: tracing::Subscriber> Layer<S> for Commits {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "callrounds::ledger::writer"
    }

    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Measures many organisations, each at its full budget: which share of their budgets is used.
fn organisations(sizes: &Sizes) -> Result<()> {
    if sizes.organisations == 0 {
        return Ok(());
    }
    let mut shares = Samples::default();
    let mut processor = Samples::default();
    for _ in 0..sizes.rounds.min(3) {
        let server = Server::start_simulator(sizes.organisations, 200)?;
        let folder = tempfile::tempdir_in(FOLDER)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let measured = runtime.block_on(side_by_side(&server.base_url, sizes, &folder.path().join("ledger.db")))?;
        shares.add(measured.0);
        processor.add(measured.1);
    }
    say(format_args!(
        "\n{} organisations at 60 requests a minute, 200 ms latency, {} s, {} rounds: {:.3} of their budgets ({}), \
         {:.2} processor s a second",
        sizes.organisations,
        sizes.seconds,
        shares.count(),
        shares.median(),
        shares.spread(),
        processor.median(),
    ));
    Ok(())
}

/// Returns the share of the organisations' budgets that was used, and processor seconds for each second.
async fn side_by_side(base_url: &str, sizes: &Sizes, path: &Path) -> Result<(f64, f64)> {
    let campaign = campaign(sizes.organisations, 60, 1_000);
    let entries = sizes.organisations * sizes.seconds * 5 / 4;
    let (ledger, run) = enrolled(path, &campaign, entries, sizes.organisations).await?;
    let first = client(base_url)?;
    let vendor = |n: u32| -> Result<_> {
        let credentials = Credentials::from_parts(Some(loopback::key(n)), None, None, None)?;
        Ok((organisation(n), Arc::new(first.with_credentials(credentials)?)))
    };
    let vendors = (0..sizes.organisations).map(vendor).collect::<Result<BTreeMap<_, _>>>()?;
    let clock: SharedClock = Arc::new(WallClock);
    let seconds = f64::from(sizes.seconds);
    let engine =
        Engine { ledger, vendors, clock, campaign, run, until_done: true, seed: 1, hints: None, exclusions: None };
    let (started, before) = (Instant::now(), common::processor_seconds());
    let stop = async move { tokio::time::sleep(Duration::from_secs_f64(seconds)).await };
    let finished = engine.run(&mut |_: &Event| {}, stop).await?;
    let took = started.elapsed().as_secs_f64();
    let requests = finished.requests;
    let made = requests.calls + requests.pages + requests.conversations + requests.other;
    let used = common::processor_seconds().zip(before).map_or(f64::NAN, |(after, before)| after - before);
    Ok((made as f64 / (f64::from(sizes.organisations) * took), used / took))
}

/// Measures a ledger of a million entries: the memory with many open conversations, and the time until a resumed run dials.
fn large(sizes: &Sizes) -> Result<()> {
    if sizes.entries == 0 {
        return Ok(());
    }
    let folder = tempfile::tempdir_in(FOLDER)?;
    let ledger = folder.path().join("ledger.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (ledger, run) = enrolled(&ledger, &campaign(0, 60_000_000, 10_000_000), sizes.entries, 0).await?;
        ledger.end_run(run, Ending::Interrupted, "for the benchmark".into(), WallClock.now()).await?;
        Result::Ok(())
    })?;
    half_finished(&ledger)?;
    let with = resumed(&ledger, sizes.rounds)?;
    if sizes.open > 0 {
        let server = Server::start(0)?;
        let megabytes = child(&["open", &server.base_url, &sizes.open.to_string(), "0"], &ledger)?;
        say(format_args!("\n{} MB with {} conversations open", megabytes.trim(), grouped(sizes.open.into())));
    }
    rusqlite::Connection::open(&ledger)?.execute("DROP INDEX entry_due", [])?;
    let without = resumed(&ledger, sizes.rounds.min(3))?;
    say(format_args!(
        "\n{} entries, half of them finished: from the start to the first call",
        grouped(sizes.entries.into())
    ));
    let row = |what: &str, samples: &Samples| {
        vec![what.to_owned(), samples.count().to_string(), format!("{:.3}", samples.median()), samples.spread()]
    };
    print_table(&["", "rounds", "s", "spread"], &[row("callrounds", &with), row("without the index", &without)]);
    Ok(())
}

/// Seconds from opening the ledger to the first call, each time in a new process.
fn resumed(ledger: &Path, rounds: u32) -> Result<Samples> {
    let mut samples = Samples::default();
    for _ in 0..rounds {
        let server = Server::start(0)?;
        samples.add(child(&["resume", &server.base_url, "0", "0"], ledger)?.trim().parse()?);
    }
    Ok(samples)
}

fn child(what: &[&str], ledger: &Path) -> Result<String> {
    let output = Command::new(std::env::current_exe()?).arg(CHILD).args(what).arg(ledger).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Marks every second entry as called, by SQL, because placing the calls would take too long.
fn half_finished(ledger: &Path) -> Result<()> {
    let conn = rusqlite::Connection::open(ledger)?;
    for step in ["state = 'submitting'", "state = 'open'", "state = 'finished', outcome = 'booked'"] {
        conn.execute(&format!("UPDATE entry SET {step} WHERE id % 2 = 0"), [])?;
    }
    conn.execute(
        "INSERT INTO attempt (entry_id, run_id, number, organisation, from_number, to_number, state, intent_at, \
         answered_at, conversation, ended_at, outcome) SELECT id, run_id, 1, organisation, '+13125550142', phone, \
         'ended', created_at, created_at, 'c-' || id, created_at, 'booked' FROM entry WHERE id % 2 = 0",
        [],
    )?;
    Ok(())
}

/// Prints the seconds from opening the ledger to the first call.
async fn first_call_on_resume(base_url: &str, path: &Path) -> Result<()> {
    let started = Instant::now();
    let ledger = Ledger::open(path, WallClock.now())?;
    let run = ledger.reopen_run(None).await?.handle;
    // The calls of earlier measurements are still open.
    let campaign = campaign(0, 60_000_000, 10_000_000);
    let vendors = alone(&campaign, client(base_url)?);
    let progress =
        run_until(&ledger, run, &campaign, vendors, |progress| progress.dialled.load(Ordering::Relaxed) > 0).await?;
    let first = progress.first.lock().unwrap_or_else(PoisonError::into_inner).ok_or("no call")?;
    say((first - started).as_secs_f64());
    Ok(())
}

async fn open_many(base_url: &str, open: u32, path: &Path) -> Result<()> {
    let ledger = Ledger::open(path, WallClock.now())?;
    let run = ledger.reopen_run(None).await?.handle;
    // The calls of earlier rounds are still open.
    let campaign = campaign(0, 60_000_000, 2 * open);
    let vendors = alone(&campaign, client(base_url)?);
    let enough = move |progress: &Progress| progress.accepted.load(Ordering::Relaxed) >= open;
    let running = run_until(&ledger, run, &campaign, vendors, enough);
    tokio::time::timeout(Duration::from_mins(2), running)
        .await
        .map_err(|_| "too few conversations were opened in two minutes")??;
    say(peak_memory().unwrap_or(f64::NAN));
    Ok(())
}

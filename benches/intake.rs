//! The intake against its peers: a list is read, parsed, normalised, rendered and enrolled durably, with all indexes.
//!
//! `cargo bench --bench intake` writes a list of a million invented patients and takes it in with callrounds, with
//! `sqlite3 .import` (which normalises nothing), and with a Python script that does the same job; then five million
//! rows with callrounds, for its memory. Beside them the two halves of it that run side by side, each alone: what reading
//! costs, and what writing does. `-- --rows N --rounds N --large N --python-rows N` change the sizes, and a part
//! that is of size 0 is left out. Nobody is dialled: no vendor is involved.

mod common;
#[path = "common/patients.rs"]
mod patients;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use callrounds::campaign::{self, Campaign, SafetyOverrides};
use callrounds::cli::enrolment;
use callrounds::clock::{Clock, WallClock};
use callrounds::entry::ListCounts;
use callrounds::intake::{Intake, IntakeContext, ListSource, RowResult};
use callrounds::ledger::{Batch, Ledger, ListChunk, ListEnd};

use chrono::{DateTime, Utc};
use common::{
    Samples, grouped, on_processor, peak_memory, print_table, processor_seconds, python_with, say, sizes_from,
};
use patients::{Shape, write_list};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The demonstration's campaign: its columns, its two messages.
const CAMPAIGN: &str = include_str!("../campaigns/demo-recall.toml");

/// Where the list and the databases are: beside the build, on a real disk.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// The first argument of a process that takes one list in and says what it took.
const CHILD: &str = "--take-in";

/// Likewise: it only reads the list, or only writes what was read before.
const READS: &str = "--read";
const WRITES: &str = "--write";

/// Entries handed over at a time, as the program does.
const PIECE: usize = 512;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [child, list, ledger] if child == CHILD => take_in(Path::new(list), Path::new(ledger)),
        [child, list, _] if child == READS => read(Path::new(list)),
        [child, list, ledger] if child == WRITES => write(Path::new(list), Path::new(ledger)),
        _ => compare(&Sizes::of(&arguments)?),
    }
}

/// How much is measured.
struct Sizes {
    rows: u32,
    rounds: u32,
    large: u32,
    python_rows: u32,
}

impl Sizes {
    fn of(arguments: &[String]) -> Result<Self> {
        let mut sizes = Self { rows: 1_000_000, rounds: 5, large: 5_000_000, python_rows: 100_000 };
        sizes_from(
            arguments,
            &mut [
                ("--rows", &mut sizes.rows),
                ("--rounds", &mut sizes.rounds),
                ("--large", &mut sizes.large),
                ("--python-rows", &mut sizes.python_rows),
            ],
        )?;
        Ok(sizes)
    }
}

fn compare(sizes: &Sizes) -> Result<()> {
    let folder = tempfile::tempdir_in(FOLDER)?;
    let list = folder.path().join("list.csv");
    let bytes = write_list(&list, sizes.rows, Shape::Usual)?;
    say(format_args!("{} rows, {:.0} MB", grouped(sizes.rows.into()), bytes as f64 / 1e6));

    let mut callrounds = Peer::new("callrounds, into its ledger", sizes.rows);
    let mut reading = Peer::new("its reading alone", sizes.rows);
    let mut writing = Peer::new("its writing alone", sizes.rows);
    let mut import = Peer::new("sqlite3 .import, as it is", sizes.rows);
    for _ in 0..sizes.rounds {
        callrounds.note(taken_in(CHILD, &list, folder.path())?);
        reading.note(taken_in(READS, &list, folder.path())?);
        writing.note(taken_in(WRITES, &list, folder.path())?);
        import.note(imported(&list, folder.path())?);
    }
    let python = python(sizes, folder.path())?;
    std::fs::remove_file(&list)?;
    let large = large(sizes, folder.path())?;

    let rates = [&callrounds, &reading, &writing, &import, &python, &large].map(|peer| peer.row(&callrounds));
    print_table(
        &["what", "rows", "rounds", "s, median", "s, spread", "rows/s", "callrounds is", "processor s", "peak MB"],
        &rates,
    );
    Ok(())
}

/// Something that takes lists in, and how it fared.
struct Peer {
    name: &'static str,
    rows: u32,
    seconds: Samples,
    processor: Samples,
    peak: Samples,
    missing: Option<String>,
}

/// One list taken in.
struct Taken {
    seconds: f64,
    /// Seconds on a processor, all threads together.
    processor: Option<f64>,
    peak: Option<f64>,
}

impl Peer {
    fn new(name: &'static str, rows: u32) -> Self {
        Self {
            name,
            rows,
            seconds: Samples::default(),
            processor: Samples::default(),
            peak: Samples::default(),
            missing: None,
        }
    }

    fn note(&mut self, taken: std::result::Result<Taken, String>) {
        match taken {
            Ok(Taken { seconds, processor, peak }) => {
                self.seconds.add(seconds);
                if let Some(peak) = peak {
                    self.peak.add(peak);
                }
                if let Some(processor) = processor {
                    self.processor.add(processor);
                }
            }
            Err(missing) => self.missing = Some(missing),
        }
    }

    fn rate(&self) -> f64 {
        f64::from(self.rows) / self.seconds.median()
    }

    fn row(&self, ours: &Self) -> Vec<String> {
        if self.seconds.count() == 0 {
            let why = self.missing.clone().unwrap_or_else(|| "not asked for".into());
            return vec![self.name.into(), why];
        }
        vec![
            self.name.into(),
            grouped(self.rows.into()),
            self.seconds.count().to_string(),
            format!("{:.2}", self.seconds.median()),
            self.seconds.spread(),
            grouped(self.rate()),
            format!("{:.2} ×", ours.rate() / self.rate()),
            told(&self.processor),
            told(&self.peak),
        ]
    }
}

fn told(samples: &Samples) -> String {
    if samples.count() == 0 { String::new() } else { format!("{:.1}", samples.median()) }
}

/// callrounds, in a process of its own, so that the peak is the intake's alone.
fn taken_in(what: &str, list: &Path, folder: &Path) -> Result<std::result::Result<Taken, String>> {
    let ledger = folder.join("callrounds.db");
    let mut child = Command::new(std::env::current_exe()?);
    child.arg(what).arg(list).arg(&ledger);
    let (output, processor) = on_processor(|| child.output())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut words = text.split_whitespace();
    let seconds = words.next().ok_or("no time")?.parse()?;
    let peak = words.next().and_then(|peak| peak.parse().ok());
    // Of a part, what came before it is not told.
    let processor = words.next().map_or(processor, |own| own.parse().ok());
    remove(&ledger);
    Ok(Ok(Taken { seconds, processor, peak }))
}

/// What the process does: from a file to entries on stable storage. Opening the ledger, which makes its tables, is part.
fn take_in(list: &Path, ledger_path: &Path) -> Result<()> {
    let started = Instant::now();
    let directory = list.parent().ok_or("a list in a folder")?.to_owned();
    let campaign = campaign_in(directory.clone())?;
    let now = WallClock.now();
    let ledger = Ledger::open(ledger_path, now)?;
    let intake = opened(list, &campaign, now)?;
    let rejects = directory.join("rejects.csv");
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let enrolment = runtime.block_on(enrolment::enrol(&intake, &ledger, &campaign, None, &rejects, now))?;
    let (listed, found) = enrolment.enrolled?;
    let seconds = started.elapsed().as_secs_f64();
    let tally = found.counts;
    if tally.read != tally.accepted + tally.rejected + tally.duplicate + tally.merged {
        return Err(format!("{tally:?} does not add up").into());
    }
    if listed.enrolled.new != tally.accepted {
        return Err(format!("{} of {} entries enrolled", listed.enrolled.new, tally.accepted).into());
    }
    say(format_args!("{seconds} {}", peak_memory().unwrap_or(f64::NAN)));
    Ok(())
}

fn opened<'c>(list: &Path, campaign: &'c Campaign, now: DateTime<Utc>) -> Result<Intake<'c>> {
    let setting = IntakeContext { now, opens: now, fiction_allowed: true, check_age: false };
    Ok(Intake::open(&ListSource::File(list.to_owned()), campaign, setting)?)
}

/// The half that reads: from a file to entries as they are handed over, which are then thrown away.
fn read(list: &Path) -> Result<()> {
    let started = Instant::now();
    let campaign = campaign_in(list.parent().ok_or("a list in a folder")?.to_owned())?;
    pieces_of(&opened(list, &campaign, WallClock.now())?, drop)?;
    say(format_args!("{} {}", started.elapsed().as_secs_f64(), peak_memory().unwrap_or(f64::NAN)));
    Ok(())
}

/// The half that writes: entries that are there already, into a ledger with its indexes.
fn write(list: &Path, ledger_path: &Path) -> Result<()> {
    let campaign = campaign_in(list.parent().ok_or("a list in a folder")?.to_owned())?;
    let now = WallClock.now();
    let intake = opened(list, &campaign, now)?;
    let mut pieces = Vec::new();
    let tally = pieces_of(&intake, |piece| pieces.push(piece))?;
    pieces.push(ListChunk::End(ListEnd { counts: tally, max_withdraw_rate: Some(1.0), plan: None }));
    let (started, before) = (Instant::now(), processor_seconds().unwrap_or(f64::NAN));
    let ledger = Ledger::open(ledger_path, now)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let listed =
        runtime.block_on(ledger.enrol_list(Arc::clone(&campaign), true, pieces.into_iter(), intake.rows(), now))?;
    let seconds = started.elapsed().as_secs_f64();
    if listed.enrolled.new != tally.accepted {
        return Err(format!("{} of {} entries enrolled", listed.enrolled.new, tally.accepted).into());
    }
    // The log is put into the ledger's file after the answer, as it is when a whole list is taken in.
    drop(ledger);
    let processor = processor_seconds().unwrap_or(f64::NAN) - before;
    say(format_args!("{seconds} {} {processor}", peak_memory().unwrap_or(f64::NAN)));
    Ok(())
}

fn pieces_of(intake: &Intake<'_>, mut take: impl FnMut(ListChunk)) -> Result<ListCounts> {
    let mut reading = intake.read()?;
    let mut batch = Batch::with_capacity(PIECE);
    for step in reading.by_ref() {
        if let RowResult::Accepted(draft) = step? {
            batch.push(&draft);
        }
        if batch.len() == PIECE {
            take(ListChunk::Entries(std::mem::replace(&mut batch, Batch::with_capacity(PIECE))));
        }
    }
    take(ListChunk::Entries(batch));
    Ok(reading.finish()?.counts)
}

fn campaign_in(directory: PathBuf) -> Result<Arc<Campaign>> {
    let loaded = campaign::load(CAMPAIGN, "demo-recall.toml", directory, SafetyOverrides { short_settle: false });
    loaded.map(Arc::new).map_err(|problems| problems.lines().collect::<Vec<_>>().join("\n").into())
}

fn imported(list: &Path, folder: &Path) -> Result<std::result::Result<Taken, String>> {
    let database = folder.join("import.db");
    let started = Instant::now();
    let import = format!(".import --csv {} list", list.display());
    let Ok((status, processor)) = on_processor(|| Command::new("sqlite3").arg(&database).arg(import).status()) else {
        return Ok(Err("there is no sqlite3 on this machine".into()));
    };
    let seconds = started.elapsed().as_secs_f64();
    remove(&database);
    if status.success() { Ok(Ok(Taken { seconds, processor, peak: None })) } else { Err("sqlite3 failed".into()) }
}

/// The same job as a script does it, `benches/peers/intake.py`, in a virtual environment with its two libraries.
fn python(sizes: &Sizes, folder: &Path) -> Result<Peer> {
    let mut peer = Peer::new("a Python script, into such a ledger", sizes.python_rows);
    if sizes.python_rows == 0 {
        return Ok(peer);
    }
    let Some(python) = python_with(FOLDER) else {
        peer.missing = Some("there is no Python with phonenumbers and Jinja2, nor can they be installed".into());
        return Ok(peer);
    };
    let list = folder.join("short.csv");
    write_list(&list, sizes.python_rows, Shape::Usual)?;
    let database = folder.join("python.db");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/intake.py");
    for _ in 0..sizes.rounds.min(3) {
        let started = Instant::now();
        let mut command = Command::new(&python);
        command.arg(&script).arg(&list).arg(&database).stdout(Stdio::null());
        let (status, processor) = on_processor(|| command.status())?;
        let seconds = started.elapsed().as_secs_f64();
        remove(&database);
        if !status.success() {
            return Err("the Python script failed".into());
        }
        peer.note(Ok(Taken { seconds, processor, peak: None }));
    }
    Ok(peer)
}

fn large(sizes: &Sizes, folder: &Path) -> Result<Peer> {
    let mut peer = Peer::new("callrounds, a larger list", sizes.large);
    if sizes.large > 0 {
        let list = folder.join("large.csv");
        write_list(&list, sizes.large, Shape::Usual)?;
        for _ in 0..sizes.rounds.min(2) {
            peer.note(taken_in(CHILD, &list, folder)?);
        }
    }
    Ok(peer)
}

/// A database and what lies beside it.
fn remove(database: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
    // What the disk still has to do is not the next one's business.
    let _ = Command::new("sync").status();
    std::thread::sleep(Duration::from_millis(200));
}

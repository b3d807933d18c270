//! The time and the memory of `check`, compared with the reading of the same list alone.
//!
//! `cargo bench --bench check` writes lists of invented patients: a million rows, a tenth of that, and two lists of which
//! every row has the same number or the same key. It runs `check` on each, in a process of its own, in turn with the half
//! of it that only reads the list. `-- --rows N --rounds N` change the sizes. Nobody is dialled: no vendor is involved.

mod common;
#[path = "common/patients.rs"]
mod patients;

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use callrounds::campaign::{self, SafetyOverrides};
use callrounds::clock::{Clock, WallClock};
use callrounds::intake::{Intake, IntakeContext, ListSource};

use common::{Samples, grouped, on_processor, peak_memory, print_table, say, sizes_from};
use patients::{Shape, write_list};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The demonstration's campaign, which takes a list of any kind: one with a single key is nearly all rejected.
const CAMPAIGN: &str = include_str!("../campaigns/demo-recall.toml");

/// Where the lists are: next to the build, on a real disk.
const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// The first argument of a process that checks a list, or only reads it.
const CHECKS: &str = "--check";
const READS: &str = "--read";

/// The goals of a million rows: `check` against the reading, against a tenth of the rows, and in megabytes.
const GOALS: [f64; 3] = [4.0, 11.0, 300.0];

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [what, folder, list] if what == CHECKS => check(Path::new(folder), list),
        [what, folder, list] if what == READS => read(Path::new(folder), list).map(|()| ExitCode::SUCCESS),
        _ => compare(&arguments).map(|()| ExitCode::SUCCESS),
    }
}

/// A list, and what was measured on it.
struct Measured {
    name: &'static str,
    rows: u32,
    shape: Shape,
    seconds: Samples,
    peak: Samples,
}

fn compare(arguments: &[String]) -> Result<()> {
    let (mut rows, mut rounds) = (1_000_000, 3);
    sizes_from(arguments, &mut [("--rows", &mut rows), ("--rounds", &mut rounds)])?;
    let folder = tempfile::tempdir_in(FOLDER)?;
    std::fs::write(folder.path().join("campaign.toml"), CAMPAIGN.replace("[list]", "[list]\nmax_reject_rate = 1.0"))?;
    let new = |name, rows, shape| Measured { name, rows, shape, seconds: Samples::default(), peak: Samples::default() };
    let mut reading = new("reading alone", rows, Shape::Usual);
    let mut checks = [
        new("check", rows, Shape::Usual),
        new("check, a tenth of the rows", rows / 10, Shape::Usual),
        new("check, one number", rows, Shape::OneNumber),
        new("check, one key", rows, Shape::OneKey),
    ];
    for _ in 0..rounds {
        reading.measure(READS, folder.path())?;
        for check in &mut checks {
            check.measure(CHECKS, folder.path())?;
        }
    }
    let rows: Vec<_> = [&reading].into_iter().chain(&checks).map(|it| it.row(&reading, &checks[1])).collect();
    print_table(
        &["what", "rows", "rounds", "processor s, least", "spread", "of reading", "of a tenth", "peak MB"],
        &rows,
    );
    let [of_reading, of_tenth, megabytes] = GOALS;
    say(format_args!(
        "goals: {of_reading} of reading, {of_tenth} of a tenth, {megabytes} MB; twice that for one number or key"
    ));
    Ok(())
}

impl Measured {
    fn measure(&mut self, what: &str, folder: &Path) -> Result<()> {
        let list = folder.join("list.csv");
        write_list(&list, self.rows, self.shape)?;
        let mut child = Command::new(std::env::current_exe()?);
        child.arg(what).arg(folder).arg("list.csv").stdout(Stdio::null()).stderr(Stdio::piped());
        let started = Instant::now();
        let (output, processor) = on_processor(|| child.output())?;
        let seconds = processor.unwrap_or_else(|| started.elapsed().as_secs_f64());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(format!("{}: {text}", self.name).into());
        }
        self.seconds.add(seconds);
        if let Some(peak) = text.split_whitespace().last().and_then(|peak| peak.parse().ok()) {
            self.peak.add(peak);
        }
        Ok(())
    }

    fn row(&self, reading: &Self, tenth: &Self) -> Vec<String> {
        vec![
            self.name.into(),
            grouped(self.rows.into()),
            self.seconds.count().to_string(),
            format!("{:.2}", self.seconds.least()),
            self.seconds.spread(),
            format!("{:.2} ×", self.seconds.least() / reading.seconds.least()),
            format!("{:.2} ×", self.seconds.least() / tenth.seconds.least()),
            format!("{:.0}", self.peak.median()),
        ]
    }
}

/// The process that checks: the program itself, in this executable so that its peak can be told.
fn check(folder: &Path, list: &str) -> Result<ExitCode> {
    std::env::set_current_dir(folder)?;
    let code = callrounds::cli::run_with(["callrounds", "check", "campaign.toml", "--list", list]);
    tell_peak();
    Ok(code)
}

/// The process that only reads: both passes over the list, and every message.
fn read(folder: &Path, list: &str) -> Result<()> {
    let text = std::fs::read_to_string(folder.join("campaign.toml"))?;
    let loaded = campaign::load(&text, "campaign.toml", folder.to_owned(), SafetyOverrides { short_settle: false });
    let campaign = loaded.map_err(|problems| problems.lines().collect::<Vec<_>>().join("\n"))?;
    let now = WallClock.now();
    let context = IntakeContext { now, opens: now, fiction_allowed: true, check_age: false };
    Intake::open(&ListSource::File(folder.join(list)), &campaign, context)?.examine()?;
    tell_peak();
    Ok(())
}

#[allow(clippy::print_stderr, reason = "the parent reads it; `check` writes to standard output")]
fn tell_peak() {
    eprintln!("{}", peak_memory().unwrap_or(f64::NAN));
}

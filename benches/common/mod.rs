//! Shared by the benchmarks: samples with their median and spread, tables, sizes from the command line, processor time and
//! peak memory.

#![allow(dead_code, reason = "each program that includes this uses a part of it")]

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// Measurements of one quantity, sorted, in any unit.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a measurement.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The median; of an even number of samples, the lower of the two in the middle.
    pub fn median(&self) -> f64 {
        self.0.get(self.0.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The minimum: what the work takes without other load.
    pub fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NAN)
    }

    /// The minimum and the maximum, as `1.20–1.35`.
    pub fn spread(&self) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(least), Some(greatest)) => format!("{least:.2}–{greatest:.2}"),
            _ => String::new(),
        }
    }
}

/// Prints a Markdown table, for `README.md`.
#[allow(clippy::print_stdout, reason = "the table is the result of a benchmark")]
pub fn print_table(head: &[&str], rows: &[Vec<String>]) {
    let line = |cells: &[String]| println!("| {} |", cells.join(" | "));
    line(&texts(head));
    line(&vec!["---".to_owned(); head.len()]);
    for row in rows {
        line(row);
    }
}

fn texts(items: &[impl Display]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// Sets the sizes named on the command line, such as `--rows 1000`; an unknown name or a bad number is an error.
pub fn sizes_from(arguments: &[String], sizes: &mut [(&str, &mut u32)]) -> Result<(), String> {
    let mut words = arguments.iter().filter(|word| *word != "--bench");
    while let Some(word) = words.next() {
        let Some((_, size)) = sizes.iter_mut().find(|(name, _)| name == word) else {
            let names: Vec<_> = sizes.iter().map(|(name, _)| *name).collect();
            return Err(format!("{word}: not one of {}", names.join(", ")));
        };
        let number = words.next().ok_or(format!("{word}: a number is missing"))?;
        **size = number.parse().map_err(|_| format!("{word} {number}: not a number"))?;
    }
    Ok(())
}

/// Prints a line.
#[allow(clippy::print_stdout, reason = "the output of a benchmark")]
pub fn say(text: impl Display) {
    println!("{text}");
}

/// `1234567` as `1,234,567`.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The peak resident memory of this process so far, in MB of 1,000,000 bytes; `None` except on Linux.
pub fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kib| kib * 1024.0 / 1e6)
}

/// The processor time of the finished child processes, in seconds; unlike wall-clock time, it does not depend on the machine's
/// load. From Linux, in hundredths.
fn processor_seconds_of_children() -> Option<f64> {
    ticks_from(13)
}

/// The processor time of this process, all threads together, in seconds.
pub fn processor_seconds() -> Option<f64> {
    ticks_from(11)
}

/// The sum of two adjacent fields of `/proc/self/stat`, counted after the name: user time and system time, in seconds.
fn ticks_from(field: usize) -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(field);
    let (user, system) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
    Some((user + system) / 100.0)
}

/// Runs `work`, which waits for a child process, and returns its result with the child's processor time in seconds.
pub fn on_processor<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Option<f64>)> {
    let before = processor_seconds_of_children();
    let done = work()?;
    Ok((done, before.zip(processor_seconds_of_children()).map(|(before, after)| after - before)))
}

/// The path of a Python with the libraries of `peers/requirements.txt`. Its environment is created once, in `folder`.
pub fn python_with(folder: &str) -> Option<PathBuf> {
    let environment = Path::new(folder).join("peers");
    let python = environment.join("bin/python");
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/requirements.txt");
    let succeeds = |command: &mut Command| command.stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !python.exists() && !succeeds(Command::new("python3").args(["-m", "venv"]).arg(&environment)) {
        return None;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    succeeds(Command::new(&python).args(install).arg(requirements)).then_some(python)
}

//! Where things are written: data on standard output, everything for people on standard error.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::Stop;
use crate::intake::rejects::private_file_beside;
use crate::ledger::BESIDE;
use crate::visible::Shown;
use crate::visible::{self, Showing};

use super::args::Global;

/// Whether standard error takes colour.
pub(super) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The standard streams, as the options want them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) quiet: bool,
    verbose: u8,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet, verbose: global.verbose }
    }

    /// Starts the log on standard error. Only this program's own lines are let through: what a library logs of a
    /// request is not ours to vouch for.
    pub(super) fn log(self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::ERROR,
            (false, 0) => LevelFilter::WARN,
            (false, 1) => LevelFilter::INFO,
            (false, 2) => LevelFilter::DEBUG,
            (false, _) => LevelFilter::TRACE,
        };
        let only_ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| Showing::new(std::io::stderr(), visible::coloured))
            .with_ansi(colour())
            .with_target(false);
        // A second start in one process keeps the first log.
        let _ = tracing_subscriber::registry().with(only_ours).with(lines).try_init();
    }

    /// Data on standard output.
    #[allow(clippy::unused_self, reason = "one way to write, whatever is written")]
    pub(super) fn data(self, text: &str) -> Result<(), Stop> {
        match std::io::stdout().write_all(visible::text(text).as_bytes()) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Stop::Output { what: "to standard output".into(), why: error.kind() })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A JSON document on standard output.
    pub(super) fn document(self, value: &impl serde::Serialize) -> Result<(), Stop> {
        let text = serde_json::to_string_pretty(value).map_err(|_| Stop::Internal("a document has no JSON".into()))?;
        self.data(&(visible::json(&text).into_owned() + "\n"))
    }

    /// Something for people, on standard error, unless they want quiet.
    pub(super) fn say(self, text: &str) {
        if !self.quiet {
            tell(&visible::text(text.trim_end_matches('\n')));
        }
    }

    /// Whether more than the usual is wanted.
    pub(super) fn verbose(self) -> bool {
        self.verbose > 0
    }

    /// Whether somebody watches. Who asks for the log gets lines instead: a bar would be written into.
    pub(super) fn on_terminal(self) -> bool {
        std::io::stderr().is_terminal() && !self.quiet && !self.json && self.verbose == 0
    }
}

/// A file of an earlier report is replaced, as every night; a ledger, what stands beside one, a folder or a device never.
fn refuse_to_replace(path: &Path) -> Result<(), Stop> {
    let is_ledger = |path: &Path| {
        let mut start = [0; 16];
        let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
        read.is_ok() && start == *b"SQLite format 3\0"
    };
    let is_other = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    let what = match () {
        () if is_other => "is no ordinary file",
        () if database_of(path).is_some_and(|database| is_ledger(&database)) => {
            "belongs to a database, and maybe the ledger"
        }
        () if is_ledger(path) => "is a database, and maybe the ledger",
        () => return Ok(()),
    };
    Err(Stop::Usage(format!("{} {what}; it was left as it is: name another file", path.shown())))
}

/// The database that a file of this name would be kept beside.
fn database_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    BESIDE.into_iter().find_map(|suffix| name.strip_suffix(suffix)).map(|name| path.with_file_name(name))
}

/// What stopped the command, on standard error.
pub(super) fn complain(stop: &Stop) {
    let text = stop.to_string();
    let shown = match stop {
        // Its values have been made visible before it was drawn, in our colours.
        Stop::Campaign(_) => visible::coloured(&text),
        Stop::Usage(_)
        | Stop::List(_)
        | Stop::VendorRefused(_)
        | Stop::Ledger(_)
        | Stop::Behind(_)
        | Stop::ListProvesNothing(_)
        | Stop::NotNow(_)
        | Stop::Output { .. }
        | Stop::Internal(_) => visible::text(&text),
    };
    tell(&format!("error: {}", shown.trim_end()));
}

/// What the command line was refused for, which repeats what was typed.
pub(super) fn refuse_arguments(error: &clap::Error) {
    let plain = error.render().to_string();
    match visible::text(&plain) {
        Cow::Owned(shown) => tell(shown.trim_end()),
        Cow::Borrowed(_) => {
            let _ = error.print();
        }
    }
}

/// A line on standard error. That nobody can be told must not keep calls from being followed.
fn tell(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes a file that may hold patients' data: its owner's alone, and whole or not at all.
pub(super) fn write_private(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<(), Stop>) -> Result<(), Stop> {
    let failed = |error: std::io::Error| Stop::Output { what: path.shown(), why: error.kind() };
    refuse_to_replace(path)?;
    let mut out = std::io::BufWriter::new(private_file_beside(path).map_err(failed)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

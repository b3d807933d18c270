//! Output: data to standard output, everything for people to standard error.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::CommandError;
use crate::intake::rejects::private_file_in_folder_of;
use crate::ledger::SIBLING_SUFFIXES;
use crate::report::exporter::ExportError;
use crate::visible::DisplayPath;
use crate::visible::{self, EscapingWriter};

use super::args::GlobalArgs;

/// Whether standard error is written in colour.
pub(super) fn is_coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// The output options of the command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
    pub(super) quiet: bool,
    verbose: u8,
}

impl Output {
    pub(super) fn new(global: &GlobalArgs) -> Self {
        Self { json: global.json, quiet: global.quiet, verbose: global.verbose }
    }

    #[cfg(test)]
    pub(super) fn of(json: bool, quiet: bool) -> Self {
        Self { json, quiet, verbose: 0 }
    }

    /// Starts the log on standard error. Only this program's own events are logged: a library's could hold patients'
    /// data.
    pub(super) fn start_log(self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::ERROR,
            (false, 0) => LevelFilter::WARN,
            (false, 1) => LevelFilter::INFO,
            (false, 2) => LevelFilter::DEBUG,
            (false, _) => LevelFilter::TRACE,
        };
        let own_events = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| EscapingWriter::new(std::io::stderr(), visible::coloured))
            .with_ansi(is_coloured())
            .with_target(false);
        // A second start in one process has no effect.
        let _ = tracing_subscriber::registry().with(own_events).with(lines).try_init();
    }

    /// Writes data to standard output.
    #[allow(clippy::unused_self, reason = "all output goes through `Output`")]
    pub(super) fn data(self, text: &str) -> Result<(), CommandError> {
        match std::io::stdout().write_all(visible::text(text).as_bytes()) {
            // A broken pipe is no error: the reader has stopped reading.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(CommandError::Output { what: "to standard output".into(), why: error.kind() })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Writes a JSON document to standard output.
    pub(super) fn document(self, value: &impl serde::Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|_| CommandError::Internal("a document cannot be written as JSON".into()))?;
        self.data(&(visible::json(&text).into_owned() + "\n"))
    }

    /// Writes a message for people to standard error, unless `--quiet` is given.
    pub(super) fn say(self, text: &str) {
        if !self.quiet {
            write_line(&visible::text(text.trim_end_matches('\n')));
        }
    }

    /// Whether `--verbose` is given.
    pub(super) fn verbose(self) -> bool {
        self.verbose > 0
    }

    /// Whether to draw a progress bar. With `--verbose` lines are written instead: log lines would break the bar.
    pub(super) fn on_terminal(self) -> bool {
        std::io::stderr().is_terminal() && !self.quiet && !self.json && self.verbose == 0
    }
}

/// Allows replacing an earlier report; refuses a ledger, a file next to one, a folder or a device.
pub(super) fn refuse_to_replace(path: &Path) -> Result<(), CommandError> {
    let is_ledger = |path: &Path| {
        let mut start = [0; 16];
        let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
        read.is_ok() && start == *b"SQLite format 3\0"
    };
    let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    let what = match () {
        () if is_special => "is not a regular file",
        () if database_of(path).is_some_and(|database| is_ledger(&database)) => {
            "belongs to a database, possibly the ledger"
        }
        () if is_ledger(path) => "is a database, possibly the ledger",
        () => return Ok(()),
    };
    Err(CommandError::Usage(format!("{} {what}; it was not changed: name another file", path.shown())))
}

/// The database to which a file of this name would belong.
fn database_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    SIBLING_SUFFIXES.into_iter().find_map(|suffix| name.strip_suffix(suffix)).map(|name| path.with_file_name(name))
}

/// Writes the error that stopped the command to standard error.
pub(super) fn print_error(error: &CommandError) {
    let text = error.to_string();
    let shown = match error {
        // Its values were escaped before it was drawn in colour.
        CommandError::Campaign(_) => visible::coloured(&text),
        CommandError::Usage(_)
        | CommandError::List(_)
        | CommandError::RunStopped { .. }
        | CommandError::Ledger(_)
        | CommandError::NotStarted(_)
        | CommandError::Output { .. }
        | CommandError::Internal(_) => visible::text(&text),
    };
    write_line(&format!("error: {}", shown.trim_end()));
}

/// Writes clap's error or help. An error repeats arguments, so hidden characters are escaped.
pub(super) fn print_argument_error(error: &clap::Error) {
    let plain = error.render().to_string();
    match visible::text(&plain) {
        Cow::Owned(shown) => write_line(shown.trim_end()),
        Cow::Borrowed(_) => {
            let _ = error.print();
        }
    }
}

/// Writes a line to standard error. A failure is ignored: it must not stop a run.
fn write_line(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes an export to the file, or, without one, to standard output: exactly, except that a terminal gets hidden
/// characters escaped and nothing that is no text. `example` is a file's name for the message.
pub(super) fn write_export(
    path: Option<&Path>,
    example: &str,
    is_binary: bool,
    output: Output,
    write: impl FnOnce(&mut dyn Write) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let is_terminal = std::io::stdout().is_terminal();
    match path {
        Some(path) => {
            write_private(path, write)?;
            output.say(&format!("wrote {}", path.shown()));
            Ok(())
        }
        None if is_binary && is_terminal => {
            Err(CommandError::Usage(format!("a workbook cannot be written to a terminal: add --out {example}")))
        }
        None if is_terminal => write(&mut EscapingWriter::new(std::io::stdout().lock(), visible::text)),
        None => write(&mut std::io::stdout().lock()),
    }
}

/// The command's error for an export that could not be written.
pub(super) fn export_error(error: ExportError, what: &str) -> Result<(), CommandError> {
    match error {
        // A broken pipe is no error: the reader has stopped reading.
        ExportError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        ExportError::Output(error) => Err(CommandError::Output { what: what.into(), why: error.kind() }),
        ExportError::Ledger(error) => Err(error.into()),
        ExportError::Format(text) => Err(CommandError::Usage(text)),
    }
}

/// Writes a file that may hold patients' data: readable by its owner only, and replaced atomically.
pub(super) fn write_private(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::Output { what: path.shown(), why: error.kind() };
    refuse_to_replace(path)?;
    let mut out = std::io::BufWriter::new(private_file_in_folder_of(path).map_err(failed)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

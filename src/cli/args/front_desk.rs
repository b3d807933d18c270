//! The arguments of `worklist` and `writeback`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::entry::WorkGroup;
use crate::report::writeback::WritebackFormat;

use super::values::{entry_number, work_group};

/// The arguments of `worklist`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct WorklistArgs {
    /// What to do instead of showing it.
    #[command(subcommand)]
    pub action: Option<WorklistAction>,
    /// What is shown, and how.
    #[command(flatten)]
    pub filter: WorklistFilter,
}

/// What `worklist` shows.
#[derive(Debug, Args)]
pub struct WorklistFilter {
    /// Also what is done, and patients who need nothing done
    #[arg(long)]
    pub all: bool,
    /// Only the patients of this campaign
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// Only this group, such as call-back; may be given several times
    #[arg(long = "group", value_name = "GROUP", value_parser = work_group)]
    pub groups: Vec<WorkGroup>,
    /// Only the patients of this location
    #[arg(long, value_name = "NAME")]
    pub location: Option<String>,
    /// The format
    #[arg(long, value_enum, default_value_t = WorklistFormat::Text)]
    pub format: WorklistFormat,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The worklist's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WorklistFormat {
    /// Plain text
    Text,
    /// One row per patient or household
    Csv,
    /// One row per patient or household, as an Excel workbook
    Xlsx,
    /// One JSON document
    Json,
}

/// What is done about the worklist.
#[derive(Debug, Subcommand)]
pub enum WorklistAction {
    /// Tick patients off: what had to be done is done
    Done(TickArgs),
    /// Open patients again that were ticked off
    Undo(UntickArgs),
}

/// The arguments of `worklist done`.
#[derive(Debug, Args)]
pub struct TickArgs {
    /// The patients' numbers in the worklist's first column: 12 or '#12'
    #[arg(required = true, value_name = "ENTRY", value_parser = entry_number)]
    pub entries: Vec<i64>,
    /// What was done, for the record
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who did it [default: the user's name on this machine]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// The arguments of `worklist undo`.
#[derive(Debug, Args)]
pub struct UntickArgs {
    /// The patients' numbers in the worklist's first column: 12 or '#12'
    #[arg(required = true, value_name = "ENTRY", value_parser = entry_number)]
    pub entries: Vec<i64>,
    /// Who says so [default: the user's name on this machine]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// The arguments of `writeback`.
#[derive(Debug, Args)]
pub struct WritebackArgs {
    /// Make a batch of requests to this software's API, as JSON lines
    #[arg(long = "for", value_enum, value_name = "SOFTWARE", group = "content")]
    pub target: Option<WritebackTarget>,
    /// Make a batch in this format
    #[arg(long, value_enum, group = "content")]
    pub format: Option<WritebackFileFormat>,
    /// Write the bytes of this batch again
    #[arg(long, value_name = "N", group = "content", conflicts_with = "campaign")]
    pub again: Option<i64>,
    /// The campaign [default: the only one on the ledger]
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl WritebackArgs {
    /// The format of the batch to make; `None`: none is to be made.
    #[must_use]
    pub fn format(&self) -> Option<WritebackFormat> {
        let file = self.format.map(|format| match format {
            WritebackFileFormat::Csv => WritebackFormat::Csv,
            WritebackFileFormat::Notes => WritebackFormat::Notes,
        });
        let software = self.target.map(|target| match target {
            WritebackTarget::OpenDental => WritebackFormat::OpenDental,
        });
        software.or(file)
    }
}

/// Software with an API of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WritebackTarget {
    /// Open Dental: `POST /commlogs` and `PUT /appointments/{AptNum}/Confirm`
    OpenDental,
}

/// A write-back file for any software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WritebackFileFormat {
    /// One row per patient and call, with the campaign's `[writeback] columns`
    Csv,
    /// One line per patient, ready to paste
    Notes,
}

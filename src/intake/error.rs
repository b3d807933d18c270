//! Why a list is refused whole: nothing is called, and the exit code is 3.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use chrono::TimeDelta;

use super::field::Field;
use super::not_understood::NotUnderstood;
use super::rejection::MessageKind;
pub use super::unsupported_format::UnsupportedFormat;
use crate::visible;
use crate::visible::DisplayPath;
use crate::wording::{self, counted};

/// Why a list is refused whole. The text says how to correct it. It contains column names, never a cell's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The file cannot be opened or read.
    #[error("the list{} cannot be read: {}", quoted_path(path), wording::io_problem(*kind))]
    Unreadable {
        /// The file; empty if the error occurred after opening.
        path: PathBuf,
        /// The system's error.
        kind: ErrorKind,
    },
    /// The file is not text.
    #[error("the list is {format}; {}", .0.way_out(), format = .0)]
    NotText(UnsupportedFormat),
    /// A packed file, or a workbook, that cannot be unpacked.
    #[error("the list is damaged: a packed file or a workbook that was perhaps not copied to its end; export it again")]
    Damaged,
    /// The list has no header.
    #[error("the list is empty")]
    Empty,
    /// The list has no rows, at most a header. An authoritative list without rows would withdraw all entries.
    #[error("the list has no rows")]
    NoRows,
    /// The rest of the file cannot be read.
    #[error("the list, line {line}: {what}")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
        /// The error.
        what: &'static str,
    },
    /// A row is too long.
    #[error(
        "the row on line {line} is longer than 1 MiB: perhaps a quote is opened there and never closed. Correct the list, \
         or export it again"
    )]
    TooLong {
        /// The row's first line, counted from 1.
        line: u64,
    },
    /// The JSON object has several arrays.
    #[error("the list could be under any of {}: name it `patients`, or export it alone", quoted(keys))]
    SeveralLists {
        /// The arrays' keys.
        keys: Vec<String>,
    },
    /// The workbook has several sheets with rows.
    #[error("the list could be on any of the sheets {}: export one of them alone, or hide the others", quoted(sheets))]
    SeveralSheets {
        /// The sheets' names.
        sheets: Vec<String>,
    },
    /// One page of several.
    #[error(
        "the list is one page of {} ({sign}), so patients are missing from it: fetch all pages, and {}",
        match kind { PageKind::FhirSearch => "a FHIR search", PageKind::Other => "several" },
        match kind {
            PageKind::FhirSearch => "put their `entry` arrays into one Bundle",
            PageKind::Other => "put their rows into one array",
        }
    )]
    OnePage {
        /// What kind of page it is.
        kind: PageKind,
        /// What says so: a key, with a number at most.
        sign: String,
    },
    /// A JSON text has too many lists or Bundles in it.
    #[error("the list has more Bundles or arrays in it than any list would: export it in several parts")]
    TooManyParts,
    /// No resource of a FHIR list is a patient.
    #[error("the list has no Patient, but other FHIR resources ({}): export the patients", quoted(kinds))]
    NoPatientResource {
        /// The types of the resources.
        kinds: Vec<String>,
    },
    /// A FHIR Bundle whose appointments need too much memory.
    #[error("the list has more appointments than fit into memory (150 MiB): export fewer weeks, or several lists")]
    TooManyAppointments,
    /// A cell contains other rows.
    #[error(
        "a quote is opened on line {line} and closed rows later, or never, so one cell has other rows in it. Correct the \
         list, or export it again: the patients in between would be left out"
    )]
    RowsInACell {
        /// The line on which the quote is opened, counted from 1; or, if it is not certain which quote is meant, the row's.
        line: u64,
    },
    /// A text above the header says that the patients must not be called.
    #[error(
        "a text above the header, or the name or the first text of a sheet, says that patients must not be called. If those on \
         this list may be, remove the text or the sheet; those who may not be can be given as --exclude, or imported with \
         `suppress import`"
    )]
    ForbiddingTitle,
    /// A line between the rows says that patients must not be called.
    #[error(
        "line {line} is no patient: it is a text that says that patients must not be called, and it is not known which rows it \
         means. Take those rows out of the list, or mark each of them in a column, and remove the line"
    )]
    ForbiddingSection {
        /// The line, counted from 1.
        line: u64,
    },
    /// The list has too many columns. Its JSON keys may be data, not names.
    #[error("the list has more than {limit} columns: it does not look like one row per patient")]
    TooManyColumns {
        /// The maximum number of columns.
        limit: usize,
    },
    /// No column is recognised as these fields.
    #[error(
        "no column of the list is known to be {}; it has {}. If {} of them is, add to the campaign file:\n\n    \
         [list]\n    columns = {{ {} }}\n{}",
        alternatives(fields, ", and none "),
        columns_text(found),
        if fields.len() == 1 { "one" } else { "any" },
        mapping_example(fields),
        key_by_start(fields, *has_start)
    )]
    NoColumn {
        /// The fields, by their names in campaign files.
        fields: Vec<String>,
        /// The list's columns.
        found: Vec<String>,
        /// Whether the list says when the appointments start.
        has_start: bool,
    },
    /// Two columns could be the same field.
    #[error(
        "the columns `{first}` and `{second}` could both be {field}; say in the campaign file which one is:\n\n    \
         [list]\n    columns = {{ {field} = \"{first}\" }}\n",
        first = visible::value(first),
        second = visible::value(second)
    )]
    TwoColumns {
        /// The field.
        field: Field,
        /// The first column.
        first: String,
        /// The second.
        second: String,
    },
    /// Two columns have the same name but different cells.
    #[error(
        "the list has two columns `{name}`, columns {} and {}, and on line {line} they differ: it is unclear which one is \
         {field}. Remove one of them from the export, or say in the campaign file that the first one counts:\n\n    \
         [list]\n    columns = {{ {field} = \"{name}\" }}\n",
        columns[0],
        columns[1],
        name = visible::value(name)
    )]
    DuplicateColumnsDiffer {
        /// The field.
        field: Field,
        /// The columns' name.
        name: String,
        /// Their positions in the header, counted from 1.
        columns: [usize; 2],
        /// The first line on which they differ, counted from 1.
        line: u64,
    },
    /// The campaign maps a column that the list does not have.
    #[error(
        "the campaign's [list] columns maps {field} to `{column}`, which the list does not have{}; it has {}",
        did_you_mean(nearest.as_ref()),
        columns_text(found),
        field = visible::value(field),
        column = visible::value(column)
    )]
    MappedColumnMissing {
        /// The field, as written in the campaign.
        field: String,
        /// The column, as written in the campaign.
        column: String,
        /// The most similar column of the list.
        nearest: Option<String>,
        /// The list's columns.
        found: Vec<String>,
    },
    /// The campaign maps a field that does not exist.
    #[error(
        "the campaign's [list] columns maps `{name}`, which is no field of a list row{}",
        did_you_mean(nearest.as_ref()),
        name = visible::value(name)
    )]
    UnknownField {
        /// The name in the campaign.
        name: String,
        /// The most similar field.
        nearest: Option<&'static str>,
    },
    /// The campaign says what words mean in a column that is no field by which a call may be forbidden.
    #[error(
        "the campaign's [list.values] has words of `{column}`, which is no column that may forbid a call: map it under \
         [list] columns first, for example columns = {{ status = \"{column}\" }}",
        column = visible::value(column)
    )]
    ValuesOfNoField {
        /// The column, as written in the campaign.
        column: String,
    },
    /// A template uses a variable that the list does not have.
    #[error(
        "the campaign's {text}, line {line}, uses `{variable}`, which the list does not have{}; correct the template, or map \
         the column under [list] columns. The list has {}",
        did_you_mean(nearest.as_ref()),
        quoted(found),
        variable = visible::value(variable)
    )]
    NoVariable {
        /// Which text.
        text: MessageKind,
        /// The template's line, counted from 1.
        line: usize,
        /// The variable.
        variable: String,
        /// The most similar variable.
        nearest: Option<String>,
        /// The variables that the list has.
        found: Vec<String>,
    },
    /// Columns or words that may forbid calls and are not understood.
    #[error("{0}")]
    NotUnderstood(Box<NotUnderstood>),
    /// The order of day and month in a column is ambiguous.
    #[error(
        "the dates in the column `{column}` could be month/day or day/month{}; say in the campaign file which:\n\n    \
         [list]\n    date_order = \"mdy\"    # or \"dmy\"\n",
        if *contradictory { ": some can only be the one and some only the other" } else { "" },
        column = visible::value(column)
    )]
    DateOrder {
        /// The column.
        column: String,
        /// Some cells fit only one order and some only another.
        contradictory: bool,
    },
    /// Neither the campaign nor the list provides consent.
    #[error(
        "nothing says whether these patients agreed to be called: the list has no consent column. If the practice has \
         their consent on file, add to the campaign file:\n\n    [calling]\n    consent = \"on_file\"\n"
    )]
    NoConsent,
    /// The campaign requires a consent column that the list does not have.
    #[error(
        "the campaign says consent = \"column\", but no column of the list is known to be consent; map one under \
         [list] columns, or say consent = \"on_file\" if the practice has their consent on file"
    )]
    NoConsentColumn,
    /// The campaign has locations, but the list has no location column.
    #[error(
        "the campaign has locations ([[line]]), but no column of the list is known to be the location; map one under \
         [list] columns: location = \"Office\""
    )]
    NoLocationColumn,
    /// The file is too old.
    #[error(
        "the list is {} old, and the campaign takes none older than {}: export it again, or raise max_list_age under \
         [list]",
        duration(*age),
        duration(*limit)
    )]
    TooOld {
        /// The time since the file was last written.
        age: TimeDelta,
        /// The campaign's `max_list_age`.
        limit: TimeDelta,
    },
    /// Too many rows are rejected.
    #[error(
        "{rejected} of {read} rows cannot be used, more than the campaign's max_reject_rate of {limit} %; mostly: \
         {mostly}. Look at the mapping of the columns, or raise max_reject_rate under [list]"
    )]
    TooManyRejected {
        /// The number of rejected rows.
        rejected: u64,
        /// The number of all rows.
        read: u64,
        /// The campaign's `max_reject_rate`, in percent.
        limit: u32,
        /// The most frequent reason.
        mostly: String,
    },
}

/// A kind of page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// A FHIR Bundle.
    FhirSearch,
    /// The answer of another service.
    Other,
}

impl From<std::io::Error> for ListError {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable { path: PathBuf::new(), kind: error.kind() }
    }
}

fn quoted_path(path: &std::path::Path) -> String {
    if path.as_os_str().is_empty() { String::new() } else { format!(" `{}`", path.shown()) }
}

/// Whether the names of columns look like a patient's data: then the header is missing.
pub(super) fn looks_like_data(names: &[String]) -> bool {
    names.iter().any(|name| name.bytes().filter(u8::is_ascii_digit).count() >= 4 || name.contains('@'))
}

/// The columns of a list that lacks one; only their number if no name is known, since a list without a header shows
/// patients there.
fn columns_text(names: &[String]) -> String {
    if !names.is_empty() && has_no_known_name(names) {
        return format!("{} without a known name (perhaps the header is missing)", counted_columns(names));
    }
    quoted(names)
}

/// Whether none of the columns' names is known.
pub(super) fn has_no_known_name(names: &[String]) -> bool {
    names.iter().all(|name| Field::from_column(name).is_none())
}

/// The column names for a message. If they look like patient data, the list has no header, and only their number is
/// shown.
fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "no columns".to_owned();
    }
    if looks_like_data(names) {
        return format!(
            "{} with names that look like a patient's data (perhaps the header is missing)",
            counted_columns(names)
        );
    }
    let shown = names.iter().take(NAMES_SHOWN).map(|name| format!("`{}`", shortened(&visible::value(name))));
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let rest = (more > 0).then(|| format!("{more} more"));
    shown.chain(rest).collect::<Vec<_>>().join(", ")
}

fn counted_columns(names: &[String]) -> String {
    counted(names.len() as u64, "column", "columns")
}

/// The maximum number of names in a message. The rest are counted.
const NAMES_SHOWN: usize = 40;

/// The maximum length of a name in a message, in characters.
const NAME_CHARS: usize = 60;

/// The missing fields; a full name would do in the place of a first name.
fn alternatives(fields: &[String], between: &str) -> String {
    let shown = fields.iter().map(|field| match field.as_str() {
        "first_name" => "first_name or full_name".to_owned(),
        field => visible::value(field).into_owned(),
    });
    shown.collect::<Vec<_>>().join(between)
}

fn mapping_example(fields: &[String]) -> String {
    let example = |field: &String| format!("{} = \"NAME OF THE COLUMN\"", visible::value(field));
    fields.iter().map(example).collect::<Vec<_>>().join(", ")
}

/// Another key, if the list lacks only numbers for its appointments: few lists have them, and nearly all have the times.
fn key_by_start(fields: &[String], has_start: bool) -> &'static str {
    let is_id = |field: &String| Field::named(field) == Some(Field::AppointmentId);
    if has_start && fields.iter().any(is_id) {
        "\nor, since the list says when the appointments start:\n\n    [list]\n    key = [\"patient_id\", \
         \"appointment_start\"]\n"
    } else {
        ""
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn did_you_mean(nearest: Option<impl fmt::Display>) -> String {
    nearest.map(|name| format!(" (did you mean `{}`?)", visible::value(&name.to_string()))).unwrap_or_default()
}

fn duration(span: TimeDelta) -> String {
    let count = |count: i64, one, many| counted(count.unsigned_abs(), one, many);
    if span < TimeDelta::days(2) {
        count(span.num_hours(), "hour", "hours")
    } else {
        count(span.num_days(), "day", "days")
    }
}

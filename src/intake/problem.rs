//! Why a list is refused whole: nothing is called, and the exit code is 3.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use chrono::TimeDelta;

use super::field::Field;
use crate::visible;
use crate::visible::Shown;

/// Why a list is refused whole. The text names the way out and holds column names, never a cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListProblem {
    /// The file cannot be read. `path` is empty when it broke off later.
    #[error("the list{} cannot be read: {kind}", named(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: ErrorKind,
    },
    /// The file is no text.
    #[error("the list is {0}; export it as CSV, .xlsx or JSON")]
    NotText(NotAList),
    /// A packed file, or a workbook, that cannot be unpacked.
    #[error("the list is damaged: a packed file or a workbook that was perhaps not copied to its end; export it again")]
    Damaged,
    /// There is no header.
    #[error("the list is empty")]
    Empty,
    /// There is a header at most. An authoritative list without rows would withdraw everybody.
    #[error("the list has no rows")]
    NoRows,
    /// The file cannot be read on from here.
    #[error("the list, line {line}: {what}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A row that no export has.
    #[error(
        "the row on line {line} is longer than 1 MiB, which no patient's is: perhaps a quote is opened there and never \
         closed. Mend it in the list, or export it anew"
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
    /// A FHIR search result that goes on elsewhere.
    #[error(
        "the list is one page of a FHIR search (it has a `next` link), so patients are missing from it: fetch all \
         pages, and put their `entry` arrays into one Bundle"
    )]
    OnePage,
    /// A FHIR bundle whose appointments would fill the memory.
    #[error(
        "the list has more appointments than fit into memory (150 MiB of them): export the next weeks alone, and in several \
         lists"
    )]
    TooManyAppointments,
    /// A cell that holds other rows.
    #[error(
        "the row on line {line} has others in one of its cells: a quote is opened there and never closed, or rows later. \
         Mend it in the list, or export it anew: the patients in between would be left out"
    )]
    RowsInACell {
        /// The row's line, counted from 1.
        line: u64,
    },
    /// JSON keys that are data, not names.
    #[error("the list has more than {most} columns: it does not look like one row per patient")]
    TooManyColumns {
        /// As many are read.
        most: usize,
    },
    /// No column could be told to be this field.
    #[error(
        "no column of the list is known to be {field}; it has {}. If one of them is, add to the campaign file:\n\n    \
         [list]\n    columns = {{ {field} = \"NAME OF THE COLUMN\" }}\n",
        quoted(found),
        field = visible::value(field)
    )]
    NoColumn {
        /// The field, by its name in campaign files.
        field: String,
        /// The list's columns.
        found: Vec<String>,
    },
    /// Two columns claim one field.
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
    /// Two columns have one name, and differ.
    #[error(
        "the list has two columns `{name}`, columns {} and {}, and on line {line} they differ: nobody can tell which one \
         is {field}. Take one of them out of the export, or say in the campaign file that the first one counts:\n\n    \
         [list]\n    columns = {{ {field} = \"{name}\" }}\n",
        columns[0],
        columns[1],
        name = visible::value(name)
    )]
    TwinsDiffer {
        /// The field.
        field: Field,
        /// The columns' name.
        name: String,
        /// Where they stand in the header, counted from 1.
        columns: [usize; 2],
        /// The line on which they differ, counted from 1.
        line: u64,
    },
    /// The campaign maps a column that the list does not have.
    #[error(
        "the campaign's [list] columns maps {field} to `{column}`, which the list does not have{}; it has {}",
        perhaps(nearest.as_ref()),
        quoted(found),
        field = visible::value(field),
        column = visible::value(column)
    )]
    MappedColumnMissing {
        /// The field, as the campaign names it.
        field: String,
        /// The column, as the campaign names it.
        column: String,
        /// The column that is spelt most like it.
        nearest: Option<String>,
        /// The list's columns.
        found: Vec<String>,
    },
    /// The campaign maps something that is no field.
    #[error(
        "the campaign's [list] columns maps `{name}`, which is no field of a list row{}",
        perhaps(nearest.as_ref()),
        name = visible::value(name)
    )]
    UnknownField {
        /// What the campaign maps.
        name: String,
        /// The field that is spelt most like it.
        nearest: Option<&'static str>,
    },
    /// The order of day and month cannot be told.
    #[error(
        "the dates in the column `{column}` could be month/day or day/month{}; say in the campaign file which:\n\n    \
         [list]\n    date_order = \"mdy\"    # or \"dmy\"\n",
        if *contradictory { ": some can only be the one and some only the other" } else { "" },
        column = visible::value(column)
    )]
    DateOrder {
        /// The column.
        column: String,
        /// Both orders occur.
        contradictory: bool,
    },
    /// Neither the campaign nor the list says anything about consent.
    #[error(
        "nothing says whether these patients agreed to be called: the list has no consent column. If the practice has \
         their consent on file, add to the campaign file:\n\n    [calling]\n    consent = \"on_file\"\n"
    )]
    NoConsent,
    /// The campaign wants a consent column that the list does not have.
    #[error(
        "the campaign says consent = \"column\", but no column of the list is known to be consent; map one under \
         [list] columns, or say consent = \"on_file\" if the practice has their consent on file"
    )]
    NoConsentColumn,
    /// The campaign has lines, and nothing says whose patient a row is.
    #[error(
        "the campaign has a line for each location, but no column of the list is known to be the location; map one under \
         [list] columns: location = \"Office\""
    )]
    NoLocationColumn,
    /// The file is too old.
    #[error(
        "the list is {} old, and the campaign takes none older than {}: export it again, or raise max_list_age under \
         [list]",
        span(*age),
        span(*most)
    )]
    TooOld {
        /// Since the file was last written.
        age: TimeDelta,
        /// The campaign's limit.
        most: TimeDelta,
    },
    /// Too many rows cannot be used.
    #[error(
        "{rejected} of {read} rows cannot be used, more than the campaign's max_reject_rate of {limit} %; mostly: \
         {mostly}. Look at the mapping of the columns, or raise max_reject_rate under [list]"
    )]
    TooManyRejected {
        /// Rejected rows.
        rejected: u64,
        /// Rows in all.
        read: u64,
        /// The limit in percent.
        limit: u32,
        /// The most frequent reason.
        mostly: String,
    },
}

/// A file format that holds no list that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAList {
    /// A zip archive without a workbook in it.
    Archive,
    /// A workbook with a password.
    Locked,
    /// `.xls`.
    OldWorkbook,
    /// gzip in gzip.
    Compressed,
    /// gzip of endless repetition.
    Bomb,
    /// HTML, or another kind of XML.
    Page,
    /// PDF.
    Pdf,
}

impl fmt::Display for NotAList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archive => "an archive, not a workbook",
            Self::Locked => "a workbook with a password",
            Self::OldWorkbook => "an Excel workbook of the old kind, or one with a password",
            Self::Compressed => "compressed twice",
            Self::Bomb => "compressed, and unpacks to more than any list would",
            Self::Page => "a web page, whatever it is called",
            Self::Pdf => "a PDF document",
        })
    }
}

impl From<std::io::Error> for ListProblem {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable { path: PathBuf::new(), kind: error.kind() }
    }
}

fn named(path: &std::path::Path) -> String {
    if path.as_os_str().is_empty() { String::new() } else { format!(" `{}`", path.shown()) }
}

/// The columns by name; not if they look like a row of patients' data, which a list without a header has in their place.
fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "no columns".to_owned();
    }
    let is_data = |name: &String| name.bytes().filter(u8::is_ascii_digit).count() >= 4;
    if names.iter().any(is_data) {
        return format!("{} columns whose names look like a patient's data: is the header missing?", names.len());
    }
    let shown = names.iter().take(NAMES_SHOWN).map(|name| format!("`{}`", shortened(&visible::value(name))));
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let rest = (more > 0).then(|| format!("{more} more"));
    shown.chain(rest).collect::<Vec<_>>().join(", ")
}

/// More names than this are counted, not shown.
const NAMES_SHOWN: usize = 40;

/// A name's first characters, as many as anybody would read.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn perhaps(nearest: Option<impl fmt::Display>) -> String {
    nearest.map(|name| format!(" (did you mean `{}`?)", visible::value(&name.to_string()))).unwrap_or_default()
}

fn span(span: TimeDelta) -> String {
    if span < TimeDelta::days(2) { format!("{} hours", span.num_hours()) } else { format!("{} days", span.num_days()) }
}

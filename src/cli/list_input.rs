//! Opens and reads a campaign's list, for `check` and `run`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::entry::NewEntry;
use crate::error::CommandError;
use crate::ids::EntryKey;
use crate::intake::rejects::{self, RejectsFile};
use crate::intake::{Intake, IntakeContext, IntakeSummary, IsSettled, ListError, ListSource, RowResult};
use crate::ledger::LedgerReader;
use crate::policy::Hours;
use crate::visible::DisplayPath;
use crate::wording::{counted, plural};

use super::vendor_config::VendorConfig;

/// The list that the command names, or the campaign's.
pub(super) fn source(named: Option<&Path>, campaign: &Campaign) -> Result<ListSource, CommandError> {
    match (named, &campaign.list.file) {
        (Some(path), _) => Ok(ListSource::from_argument(path)),
        (None, Some(file)) => Ok(ListSource::File(campaign.source.resolve(file))),
        (None, None) => Err(CommandError::Usage(
            "no list: give --list FILE, or name it in the campaign file under [list] file".into(),
        )),
    }
}

/// How a list is read at this instant of the run's clock.
pub(super) fn context(campaign: &Campaign, api: &VendorConfig, clock: &dyn Clock) -> IntakeContext {
    let now = clock.now();
    let hours = Hours::for_practice(&campaign.calling, &campaign.practice.zone);
    IntakeContext {
        now,
        opens: hours.next_open(now).unwrap_or(now),
        fiction_allowed: api.is_rehearsal(),
        check_age: !clock.is_simulated(),
    }
}

/// What earlier calls of the campaign mean for the households of a list; `None` if the ledger does not have the campaign.
pub(super) fn history<'c>(
    reader: &'c LedgerReader,
    campaign: &'c Campaign,
) -> Result<Option<Box<IsSettled<'c>>>, CommandError> {
    let Some(id) = reader.campaign(&campaign.name)? else { return Ok(None) };
    let redial = &campaign.redial;
    // A patient that the ledger cannot show shares no call; the entry itself meets the same error.
    let is_settled = move |key: &EntryKey, phone| reader.is_settled(id, redial, key, phone).unwrap_or(true);
    Ok(Some(Box::new(is_settled)))
}

/// Opens a list and profiles its columns. A refused list stops the command with exit code 3.
pub(super) fn open<'c>(
    source: &ListSource,
    campaign: &'c Campaign,
    context: IntakeContext,
) -> Result<Intake<'c>, CommandError> {
    Intake::open(source, campaign, context).map_err(refused)
}

pub(super) fn refused(problem: ListError) -> CommandError {
    if problem == ListError::NoConsent {
        // A key is missing in the campaign file.
        return CommandError::Campaign(problem.to_string());
    }
    let what = if let ListError::Unreadable { path, kind: ErrorKind::NotFound } = problem {
        format!("there is no list at {}", path.shown())
    } else {
        problem.to_string()
    };
    // After a multi-line message it needs a paragraph of its own.
    let joint = if what.contains('\n') { "\n\nnothing" } else { "; nothing" };
    CommandError::List(format!("{}{joint} was sent", what.trim_end()))
}

/// Names the lines of a list that are not patient rows, so that the operator can see what was skipped.
pub(super) fn non_patient_rows(lines: &[u64]) -> String {
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    match shown.as_slice() {
        [] => String::new(),
        [line] => format!("  line {line} is not a patient row: a total, a page footer, or a repeated header\n"),
        lines => {
            format!("  lines {} are not patient rows: totals, page footers, or repeated headers\n", lines.join(", "))
        }
    }
}

/// Says how many rows a spreadsheet hides: who exported it may not know that they are on the list.
pub(super) fn hidden_rows(count: u64) -> String {
    if count == 0 {
        return String::new();
    }
    let rows = counted(count, "row is", "rows are");
    let are = plural(count, "it is on the list, and is", "they are on the list, and are");
    format!("  {rows} hidden in the sheet, by a filter or by hand: {are} called like the others\n")
}

/// Names the FHIR resources of a list that are neither patients nor appointments.
pub(super) fn other_resources(by_type: &BTreeMap<String, u64>) -> String {
    let kinds: Vec<String> = by_type.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
    if kinds.is_empty() { String::new() } else { format!("  left out, as no patients: {}\n", kinds.join(", ")) }
}

/// The rejects file: the one that the campaign names, or one next to the ledger.
pub(super) fn rejects_path(campaign: &Campaign, ledger: &Path) -> PathBuf {
    match &campaign.list.rejects {
        Some(path) => campaign.source.resolve(path),
        None => ledger.with_file_name(format!("{}.rejects.csv", campaign.name)),
    }
}

/// The rejects file of a rehearsal: always next to its ledger, so that the file of live runs is not changed.
pub(super) fn rehearsal_rejects_path(campaign: &Campaign, ledger: &Path) -> PathBuf {
    ledger.with_file_name(format!("{}.rehearsal.rejects.csv", campaign.name))
}

/// Refuses a rejects file that is also the campaign's list or the exclude file, even if it is in the format of a
/// rejects file. A corrected rejects file that `--list` names is allowed: it is replaced by the rows that are still
/// rejected.
pub(super) fn refuse_list_as_rejects(
    rejects: &Path,
    exclude: Option<&Path>,
    campaign: &Campaign,
) -> Result<(), CommandError> {
    let own = campaign.list.file.as_ref().map(|file| campaign.source.resolve(file));
    let lists = own.iter().map(|path| ("the campaign's list", path.as_path()));
    let lists = lists.chain(exclude.map(|path| ("the exclude file", path)));
    match lists.into_iter().find(|(_, path)| is_same_file(path, rejects)) {
        Some((what, _)) => Err(CommandError::Usage(format!(
            "the rejects file {} is also {what}; it was not changed, and nothing was sent: name another file under [list] \
             rejects",
            rejects.shown()
        ))),
        None => Ok(()),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| path.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    one == other || file(one).is_some_and(|one| file(other) == Some(one))
}

/// Refuses to overwrite a file that is not a rejects file, such as a list, a ledger or a key.
pub(super) fn refuse_foreign_file(path: &Path) -> Result<(), CommandError> {
    match is_replaceable(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(CommandError::Usage(format!(
            "{} is to be the rejects file, but its first columns are not line,reason; it was not changed, and nothing was \
             sent: name another file under [list] rejects, or move this one away",
            path.shown()
        ))),
        Err(error) => Err(CommandError::Output { what: path.shown(), why: error.kind() }),
    }
}

/// Whether there is no file at `path`, or a rejects file.
fn is_replaceable(path: &Path) -> io::Result<bool> {
    let is_file = match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        // A dangling link is not replaced either.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path.symlink_metadata().is_err()),
        Err(error) => return Err(error),
    };
    let mut start = Vec::new();
    if is_file {
        File::open(path)?.take(64).read_to_end(&mut start)?;
    }
    Ok(rejects::is_rejects_file(&start))
}

/// The result of reading a list: the number of rejected rows, and the summary of all rows or why the list is refused.
pub(super) struct ListPass {
    pub(super) rejected: u64,
    pub(super) summary: Result<IntakeSummary, CommandError>,
}

/// Reads the whole list once and passes accepted entries to `accept`. Rejected rows replace the rejects file, which is
/// removed if there are none. This happens before the list may be refused for its rejected rows, so that they can be
/// corrected.
pub(super) fn read_list(
    intake: &Intake<'_>,
    path: &Path,
    mut accept: impl FnMut(NewEntry),
) -> Result<ListPass, CommandError> {
    let failed = |error: std::io::Error| CommandError::Output { what: path.shown(), why: error.kind() };
    refuse_foreign_file(path)?;
    let mut file: Option<RejectsFile> = None;
    let mut rows = intake.read().map_err(refused)?;
    for row in rows.by_ref() {
        match row.map_err(refused)? {
            RowResult::Accepted(entry) => accept(*entry),
            RowResult::Rejected(rejection, row) => {
                let writer = match file.take() {
                    Some(file) => file,
                    None => RejectsFile::create(path, intake.header()).map_err(failed)?,
                };
                file.insert(writer).write(&rejection, &row).map_err(failed)?;
            }
            RowResult::Duplicate { .. } | RowResult::Replaced { .. } => {}
        }
    }
    // Reading takes a while: another file may have been created at this path meanwhile.
    refuse_foreign_file(path)?;
    let rejected = match file {
        Some(file) => file.finish().map_err(failed)?,
        None => match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => 0,
        },
    };
    Ok(ListPass { rejected, summary: rows.finish().map_err(refused) })
}

//! A campaign's list, as `check` and `run` open it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::campaign::Campaign;
use crate::entry::Draft;
use crate::error::Stop;
use crate::intake::rejects::{self, RejectsFile};
use crate::intake::{Intake, ListProblem, ListSource, Setting, Step, Summary};
use crate::visible::Shown;

/// The list that was named, or the campaign's own.
pub(super) fn source(named: Option<&Path>, campaign: &Campaign) -> Result<ListSource, Stop> {
    match (named, &campaign.list.file) {
        (Some(path), _) => Ok(ListSource::from_argument(path)),
        (None, Some(file)) => Ok(ListSource::File(campaign.source.beside(file))),
        (None, None) => {
            Err(Stop::Usage("no list: give --list FILE, or name it in the campaign file under [list] file".into()))
        }
    }
}

/// Opens a list and looks through it. A list that is refused stops the command with exit code 3.
pub(super) fn open<'c>(source: &ListSource, campaign: &'c Campaign, setting: Setting) -> Result<Intake<'c>, Stop> {
    Intake::open(source, campaign, setting).map_err(refused)
}

pub(super) fn refused(problem: ListProblem) -> Stop {
    if problem == ListProblem::NoConsent {
        // What is missing is a line in the campaign file.
        return Stop::Campaign(problem.to_string());
    }
    let what = if let ListProblem::Unreadable { path, kind: ErrorKind::NotFound } = problem {
        format!("there is no list at {}", path.shown())
    } else {
        problem.to_string()
    };
    // Below an example, it has to stand on a line of its own.
    let joint = if what.contains('\n') { "\n\nnothing" } else { "; nothing" };
    Stop::List(format!("{}{joint} was sent", what.trim_end()))
}

/// Says which lines of a list are no patients, so that nobody is left out unseen.
pub(super) fn left_out(lines: &[u64]) -> String {
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    match shown.as_slice() {
        [] => String::new(),
        [line] => format!("  line {line} is no patient: a total, a page's footer, or the header again\n"),
        lines => format!("  lines {} are no patients: totals, page footers, or the header again\n", lines.join(", ")),
    }
}

/// Where rejected rows go: where the campaign says, or beside the ledger.
pub(super) fn rejects_path(campaign: &Campaign, ledger: &Path) -> PathBuf {
    match &campaign.list.rejects {
        Some(path) => campaign.source.beside(path),
        None => ledger.with_file_name(format!("{}.rejects.csv", campaign.name)),
    }
}

/// Where those of a rehearsal go: always beside its ledger, so that the file of the live runs stays as it is.
pub(super) fn rejects_of_rehearsal(campaign: &Campaign, ledger: &Path) -> PathBuf {
    ledger.with_file_name(format!("{}.rehearsal.rejects.csv", campaign.name))
}

/// Refuses to write a rejects file where a list is read from, though it may have been one: the campaign's own, or the one
/// whose patients are left out. A rejects file that is corrected and named by `--list` is replaced by what is still wrong.
pub(super) fn refuse_lists(rejects: &Path, exclude: Option<&Path>, campaign: &Campaign) -> Result<(), Stop> {
    let own = campaign.list.file.as_ref().map(|file| campaign.source.beside(file));
    let lists = own.iter().map(|path| ("the campaign's list", path.as_path()));
    let lists = lists.chain(exclude.map(|path| ("the exclude file", path)));
    match lists.into_iter().find(|(_, path)| is_same(path, rejects)) {
        Some((what, _)) => Err(Stop::Usage(format!(
            "{} is where rejected rows go, and it is {what}; it was left as it is, and nothing was sent: name another file \
             under [list] rejects",
            rejects.shown()
        ))),
        None => Ok(()),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| path.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    one == other || file(one).is_some_and(|one| file(other) == Some(one))
}

/// Refuses to write a rejects file where something else is: a list, a ledger, a key, or a stranger's file.
pub(super) fn refuse_strangers(path: &Path) -> Result<(), Stop> {
    match is_free(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Stop::Usage(format!(
            "{} is where rejected rows go, and it is no rejects file (its first columns are not line,reason); it was left as \
             it is, and nothing was sent: name another file under [list] rejects, or move this one away",
            path.shown()
        ))),
        Err(error) => Err(Stop::Output { what: path.shown(), why: error.kind() }),
    }
}

/// Whether there is nothing at `path`, or a rejects file.
fn is_free(path: &Path) -> io::Result<bool> {
    let is_file = match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        // A link that leads nowhere is somebody's all the same.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path.symlink_metadata().is_err()),
        Err(error) => return Err(error),
    };
    let mut start = Vec::new();
    if is_file {
        File::open(path)?.take(64).read_to_end(&mut start)?;
    }
    Ok(rejects::is_one(&start))
}

/// A list looked through: how many rows cannot be used, and what became of all of them, or why the list is refused.
pub(super) struct LookedThrough {
    pub(super) rejected: u64,
    pub(super) found: Result<Summary, Stop>,
}

/// Reads the whole list once and passes on what is accepted. Every rejected row is written to the rejects file, and one
/// that is no longer true is removed, before the list may be refused for its bad rows: they are what is to be mended.
pub(super) fn look_through(
    intake: &Intake<'_>,
    path: &Path,
    mut accept: impl FnMut(Draft),
) -> Result<LookedThrough, Stop> {
    let failed = |error: std::io::Error| Stop::Output { what: path.shown(), why: error.kind() };
    refuse_strangers(path)?;
    let mut file: Option<RejectsFile> = None;
    let mut reading = intake.read().map_err(refused)?;
    for step in reading.by_ref() {
        match step.map_err(refused)? {
            Step::Accepted(draft) => accept(*draft),
            Step::Rejected(rejection, row) => {
                let started = match file.take() {
                    Some(file) => file,
                    None => RejectsFile::create(path, intake.header()).map_err(failed)?,
                };
                file.insert(started).write(&rejection, &row).map_err(failed)?;
            }
            Step::Duplicate { .. } | Step::Replaced { .. } => {}
        }
    }
    // Reading takes a while, and whatever has been put there meanwhile is not ours either.
    refuse_strangers(path)?;
    let rejected = match file {
        Some(file) => file.finish().map_err(failed)?,
        None => match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => 0,
        },
    };
    Ok(LookedThrough { rejected, found: reading.finish().map_err(refused) })
}

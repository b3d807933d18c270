//! `--exclude`: a second list whose patients are left out, read again whenever it changes.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::engine::exclusions::{Exclusions, IsExcluded, Untold};
use crate::error::Stop;
use crate::intake::{Excluded, ListProblem, ListSource};
use crate::visible::Shown;

/// The list, and as which file it was read last.
pub(super) struct ExcludeFile {
    path: PathBuf,
    campaign: Arc<Campaign>,
    now: DateTime<Utc>,
    read: Stamp,
}

/// What changes when a file does: its last writing, its size, and which file has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    size: u64,
    file: u64,
}

/// Reads the list of an `--exclude`, if there is one. A bad one stops the command before anything is sent.
pub(super) fn read(path: Option<&Path>, campaign: &Campaign, now: DateTime<Utc>) -> Result<Option<Excluded>, Stop> {
    path.map(|path| contents(path, campaign, now).map_err(|problem| refused(path, &problem))).transpose()
}

impl ExcludeFile {
    /// The file at `path`, to be read again when it changes from now on. What it says now is in `excluded`.
    pub(super) fn open(path: &Path, campaign: &Arc<Campaign>, now: DateTime<Utc>) -> Result<(Self, Excluded), Stop> {
        let stamp = || Stamp::of(path).map_err(|untold| Stop::List(format!("{untold}; nothing was sent")));
        // Looked at first: what is written while it is read is read again.
        let read = stamp()?;
        let excluded = contents(path, campaign, now).map_err(|problem| refused(path, &problem))?;
        Ok((Self { path: path.to_owned(), campaign: Arc::clone(campaign), now, read }, excluded))
    }
}

impl Exclusions for ExcludeFile {
    fn changed(&mut self) -> Result<Option<IsExcluded>, Untold> {
        let stamp = Stamp::of(&self.path)?;
        if stamp == self.read {
            return Ok(None);
        }
        let excluded = contents(&self.path, &self.campaign, self.now)
            .map_err(|problem| Untold(format!("the exclude file {}: {problem}", self.path.shown())))?;
        self.read = stamp;
        Ok(Some(Arc::new(move |key| excluded.has(key))))
    }
}

impl Stamp {
    fn of(path: &Path) -> Result<Self, Untold> {
        let about = path
            .metadata()
            .map_err(|error| Untold(format!("the exclude file {} cannot be read: {}", path.shown(), error.kind())))?;
        Ok(Self { modified: (about.mtime(), about.mtime_nsec()), size: about.size(), file: about.ino() })
    }
}

fn contents(path: &Path, campaign: &Campaign, now: DateTime<Utc>) -> Result<Excluded, ListProblem> {
    Excluded::read(&ListSource::File(path.to_owned()), &campaign.list, now)
}

fn refused(path: &Path, problem: &ListProblem) -> Stop {
    Stop::List(format!("the exclude file {}: {problem}; nothing was sent", path.shown()))
}

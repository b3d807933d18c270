//! `--exclude`: a second list whose patients are not called, reread when the file changes.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::engine::exclusions::{ExclusionCheck, ExclusionError, ExclusionSource};
use crate::error::CommandError;
use crate::intake::{ExcludeList, ListError, ListSource};
use crate::visible::DisplayPath;
use crate::wording::io_error;

/// The exclude file, with the stamp of its last reading.
pub(super) struct ExcludeFile {
    path: PathBuf,
    campaign: Arc<Campaign>,
    now: DateTime<Utc>,
    stamp: FileStamp,
}

/// Detects a changed file: its modification time, size and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

/// Reads the exclude file, if there is one. A bad file stops the command before anything is sent.
pub(super) fn read(
    path: Option<&Path>,
    campaign: &Campaign,
    now: DateTime<Utc>,
) -> Result<Option<ExcludeList>, CommandError> {
    path.map(|path| contents(path, campaign, now).map_err(|problem| refused(path, &problem))).transpose()
}

impl ExcludeFile {
    /// Opens the file at `path`, to be reread when it changes. The second value is its current content.
    pub(super) fn open(
        path: &Path,
        campaign: &Arc<Campaign>,
        now: DateTime<Utc>,
    ) -> Result<(Self, ExcludeList), CommandError> {
        // Before the content: a change during the reading causes another reading.
        let stamp =
            FileStamp::read(path).map_err(|problem| CommandError::List(format!("{problem}; nothing was sent")))?;
        let excluded = contents(path, campaign, now).map_err(|problem| refused(path, &problem))?;
        Ok((Self { path: path.to_owned(), campaign: Arc::clone(campaign), now, stamp }, excluded))
    }
}

impl ExclusionSource for ExcludeFile {
    fn changed(&mut self) -> Result<Option<ExclusionCheck>, ExclusionError> {
        let stamp = FileStamp::read(&self.path)?;
        if stamp == self.stamp {
            return Ok(None);
        }
        let excluded = contents(&self.path, &self.campaign, self.now)
            .map_err(|problem| ExclusionError(format!("the exclude file {}: {problem}", self.path.shown())))?;
        self.stamp = stamp;
        Ok(Some(Arc::new(move |key| excluded.has(key))))
    }
}

impl FileStamp {
    fn read(path: &Path) -> Result<Self, ExclusionError> {
        let metadata = path.metadata().map_err(|error| {
            ExclusionError(format!("the exclude file {} cannot be read: {}", path.shown(), io_error(&error)))
        })?;
        Ok(Self { modified: (metadata.mtime(), metadata.mtime_nsec()), size: metadata.size(), inode: metadata.ino() })
    }
}

fn contents(path: &Path, campaign: &Campaign, now: DateTime<Utc>) -> Result<ExcludeList, ListError> {
    ExcludeList::read(&ListSource::File(path.to_owned()), campaign, now)
}

fn refused(path: &Path, problem: &ListError) -> CommandError {
    CommandError::List(format!("the exclude file {}: {problem}; nothing was sent", path.shown()))
}

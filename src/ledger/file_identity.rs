//! A ledger's file must be on a disk of this machine, and be the same file in which the ledger was last written.
//!
//! A copy lacks the calls that are placed with the original; using both would call people twice. So a ledger stores its
//! file's inode number and birth time. Both survive renames, reboots, new mounts and containers that share a volume;
//! neither survives `cp`, `rsync`, a restored backup or a move to another disk, and no option of those preserves a
//! birth time. Inode numbers alone are not enough: file systems reuse a removed file's number. Device numbers (which
//! change with a boot or a mount), host names (containers) and paths are left out, because they change although the
//! file is the same. On a file system without birth times only the inode number is compared, which may miss a copy but
//! never rejects the original. An older copy written back into the same file is not detected here: the high-water mark
//! and the vendor's list show it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::Connection;

use super::error::LedgerError;
use super::sql::sql;

use crate::visible::DisplayPath;

/// Identifies the file that holds a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    inode: i64,
    /// Nanoseconds since 1970 UTC, if the file system has birth times.
    born_at: Option<i64>,
}

impl FileIdentity {
    /// The identity of the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, LedgerError> {
        let metadata = path.metadata().map_err(|error| LedgerError::storage(&error))?;
        let since_1970 = metadata.created().ok().and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let born_at = since_1970.and_then(|span| i64::try_from(span.as_nanos()).ok());
        Ok(Self { inode: metadata.ino() as i64, born_at })
    }

    /// The values of the columns `inode` and `born_at`.
    pub(super) fn columns(self) -> (i64, Option<i64>) {
        (self.inode, self.born_at)
    }

    /// Whether `stored` identifies the same file. A birth time that only one side has is ignored.
    fn is_same_file(self, stored: Self) -> bool {
        let has_other_birth = self.born_at.zip(stored.born_at).is_some_and(|(here, there)| here != there);
        self.inode == stored.inode && !has_other_birth
    }
}

/// Stores the file's identity in a ledger that has none; fails if the ledger has another file's. Returns whether it
/// stored it now.
pub(super) fn refuse_a_copy(conn: &Connection, path: &Path) -> Result<bool, LedgerError> {
    let here = FileIdentity::read(path)?;
    match stored(conn)? {
        None => conn.execute(sql!("file_identity_note"), here.columns()).map(|_| true).map_err(Into::into),
        Some(stored) if here.is_same_file(stored) => Ok(false),
        Some(_) => Err(LedgerError::Copied { path: path.shown() }),
    }
}

fn stored(conn: &Connection) -> Result<Option<FileIdentity>, LedgerError> {
    let (inode, born_at): (Option<i64>, Option<i64>) =
        conn.query_row(sql!("file_identity_read"), [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(inode.map(|inode| FileIdentity { inode, born_at }))
}

/// Fails if the ledger is on another machine's file system: locks and shared memory work only within one machine, and
/// the guarantees of the other machine's `fsync` are unknown.
pub(super) fn refuse_network(ledger: &Path) -> Result<(), LedgerError> {
    match file_system(ledger).and_then(network_name) {
        Some(kind) => Err(LedgerError::Network { path: ledger.shown(), kind }),
        None => Ok(()),
    }
}

/// The type of the file system that holds the ledger's folder, as in `statfs(2)`. `None` if it cannot be read: opening
/// the file then reports what is wrong.
#[cfg(target_os = "linux")]
fn file_system(ledger: &Path) -> Option<u32> {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    rustix::fs::statfs(folder).ok().map(|found| found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<u32> {
    None
}

/// The name of a network file system by its number in `statfs(2)` (`linux/magic.h`). FUSE is not listed: the number
/// does not show whether an encrypted folder or another machine is behind it.
fn network_name(number: u32) -> Option<&'static str> {
    match number {
        0x6969 => Some("NFS"),
        0x517B | 0xFE53_4D42 => Some("SMB"),
        0xFF53_4D42 => Some("CIFS"),
        0x0102_1997 => Some("9P"),
        0x00C3_6400 => Some("Ceph"),
        0x0BD0_0BD0 => Some("Lustre"),
        0x0116_1970 => Some("GFS2"),
        0x7461_636F => Some("OCFS2"),
        0x5346_414F | 0x6B41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x564C => Some("NCP"),
        0x4750_4653 => Some("GPFS"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_unless_its_inode_or_its_birth_time_differs() {
        let file = |inode, born_at| FileIdentity { inode, born_at };
        let cases = [
            (file(1, Some(5)), file(1, Some(5)), true),
            (file(1, Some(5)), file(2, Some(5)), false),
            (file(1, Some(5)), file(1, Some(6)), false),
            (file(1, None), file(1, Some(6)), true),
            (file(1, Some(5)), file(1, None), true),
            (file(1, None), file(2, None), false),
        ];
        for (here, stored, same) in cases {
            assert_eq!(here.is_same_file(stored), same, "{here:?}, stored {stored:?}");
        }
    }

    #[test]
    fn network_file_systems_are_recognised_by_number_and_local_ones_are_not() {
        assert_eq!(network_name(0x6969), Some("NFS"));
        assert_eq!(network_name(-11_317_950_i32 as u32), Some("CIFS"), "where the field is signed");
        for (ours, name) in [
            (0xEF53, "ext4"),
            (0x5846_5342, "xfs"),
            (0x9123_683E, "btrfs"),
            (0x0102_1994, "tmpfs"),
            (0x794C_7630, "overlayfs"),
        ] {
            assert_eq!(network_name(ours), None, "{name}");
        }
    }
}

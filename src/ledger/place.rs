//! Where a ledger's file is: on a disk of this machine, and the very file that the ledger was last written in.
//!
//! A copy does not know of the calls that are placed with the other one; two that both go on would call people twice. So
//! a ledger notes its file's inode number and birth time. Both stay the same through renames, reboots, new mounts and
//! containers that share a volume; neither survives `cp`, `rsync`, a restored backup or a move to another disk, and no
//! option of those can carry a birth time over. Inode numbers alone would not do: file systems give a removed file's to
//! the next one. What changes although the file is the same is left out: device numbers (a boot, a mount), host names (a
//! container), paths. A file system that tells no birth time leaves the inode number, which may miss a copy and never
//! takes the file for one. An older copy that is written back into the same file is not seen here: the vendor's list
//! shows it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::Connection;

use super::error::LedgerError;
use super::sql;

use crate::visible::Shown;

/// Which file a ledger is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    inode: i64,
    /// Nanoseconds since 1970, where the file system tells.
    born_at: Option<i64>,
}

impl Place {
    /// The place of the file at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, LedgerError> {
        let metadata = path.metadata().map_err(|error| LedgerError::storage(&error))?;
        let since_1970 = metadata.created().ok().and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let born_at = since_1970.and_then(|span| i64::try_from(span.as_nanos()).ok());
        Ok(Self { inode: metadata.ino() as i64, born_at })
    }

    /// The values of its two columns.
    pub(super) fn columns(self) -> (i64, Option<i64>) {
        (self.inode, self.born_at)
    }

    /// Whether a file that was at `noted` is the one that is here. A birth time that only one side knows says nothing.
    fn is(self, noted: Self) -> bool {
        let born_elsewhere = self.born_at.zip(noted.born_at).is_some_and(|(here, there)| here != there);
        self.inode == noted.inode && !born_elsewhere
    }
}

/// Notes the place of a ledger that has noted none, and refuses one that noted another. Whether it noted it now.
pub(super) fn refuse_a_copy(conn: &Connection, path: &Path) -> Result<bool, LedgerError> {
    let here = Place::of(path)?;
    match noted(conn)? {
        None => conn.execute(sql!("place_note"), here.columns()).map(|_| true).map_err(Into::into),
        Some(noted) if here.is(noted) => Ok(false),
        Some(_) => Err(LedgerError::Copied { path: path.shown() }),
    }
}

fn noted(conn: &Connection) -> Result<Option<Place>, LedgerError> {
    let (inode, born_at): (Option<i64>, Option<i64>) =
        conn.query_row(sql!("place_read"), [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(inode.map(|inode| Place { inode, born_at }))
}

/// Refuses a ledger whose file system is another machine's: locks and shared memory reach only as far as one machine, and
/// what its `fsync` promises nobody here can know.
pub(super) fn refuse_network(ledger: &Path) -> Result<(), LedgerError> {
    match file_system(ledger).and_then(network) {
        Some(kind) => Err(LedgerError::Network { path: ledger.shown(), kind }),
        None => Ok(()),
    }
}

/// The kind of file system that the ledger's folder is on, by its number in `statfs(2)`. What cannot be told is let
/// through: opening the file says what is wrong.
#[cfg(target_os = "linux")]
fn file_system(ledger: &Path) -> Option<u32> {
    let folder = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    rustix::fs::statfs(folder).ok().map(|found| found.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<u32> {
    None
}

/// The name of a file system that other machines share, by its number in `statfs(2)` (`linux/magic.h`). FUSE is not
/// among them: what is behind it, an encrypted folder or another machine, the number does not say.
fn network(number: u32) -> Option<&'static str> {
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
    fn a_file_is_itself_unless_its_inode_or_its_birth_says_otherwise() {
        let place = |inode, born_at| Place { inode, born_at };
        let cases = [
            (place(1, Some(5)), place(1, Some(5)), true),
            (place(1, Some(5)), place(2, Some(5)), false),
            (place(1, Some(5)), place(1, Some(6)), false),
            (place(1, None), place(1, Some(6)), true),
            (place(1, Some(5)), place(1, None), true),
            (place(1, None), place(2, None), false),
        ];
        for (here, noted, same) in cases {
            assert_eq!(here.is(noted), same, "{here:?}, noted {noted:?}");
        }
    }

    #[test]
    fn other_machines_file_systems_are_known_by_their_numbers_and_ours_are_not() {
        assert_eq!(network(0x6969), Some("NFS"));
        assert_eq!(network(-11_317_950_i32 as u32), Some("CIFS"), "where the field is signed");
        for (ours, name) in [
            (0xEF53, "ext4"),
            (0x5846_5342, "xfs"),
            (0x9123_683E, "btrfs"),
            (0x0102_1994, "tmpfs"),
            (0x794C_7630, "overlayfs"),
        ] {
            assert_eq!(network(ours), None, "{name}");
        }
    }
}

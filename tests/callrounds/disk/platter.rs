//! One file as a disk holds it: what is on stable storage, and what has been written since and may be lost.

/// The unit in which a disk writes: a write that is cut off ends at a multiple of it.
const SECTOR: u64 = 512;

/// A file on the disk.
#[derive(Debug, Default)]
pub struct Platter {
    /// What a sync has put on stable storage; `None`: not even the file's name is.
    durable: Option<Vec<u8>>,
    /// What has been done since, in order.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Length(u64),
}

/// What becomes of one pending change when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Kept,
    Lost,
    /// Of a write, the sectors before this share (of 256) are on stable storage.
    Torn(u8),
}

impl Platter {
    /// A file that has been there for long.
    pub fn holding(bytes: Vec<u8>) -> Self {
        Self { durable: Some(bytes), pending: Vec::new() }
    }

    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        self.pending.push(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub fn set_length(&mut self, length: u64) {
        self.pending.push(Change::Length(length));
    }

    /// Everything that was written is on stable storage, and so is the file's name.
    pub fn sync(&mut self) {
        let mut bytes = self.durable.take().unwrap_or_default();
        for change in self.pending.drain(..) {
            change.apply(&mut bytes, Fate::Kept);
        }
        self.durable = Some(bytes);
    }

    /// A sync has failed: what was written stays to be seen, is taken for clean, and never reaches the disk.
    pub fn forget(&mut self) {
        self.pending.clear();
    }

    /// The power fails, and `fate` decides over each pending change. What is left of the file, if anything is.
    pub fn without_power(&mut self, mut fate: impl FnMut() -> Fate) -> Option<&[u8]> {
        for change in self.pending.drain(..) {
            match fate() {
                Fate::Lost => {}
                fate @ (Fate::Kept | Fate::Torn(_)) => change.apply(self.durable.get_or_insert_default(), fate),
            }
        }
        self.durable.as_deref()
    }
}

impl Change {
    fn apply(self, to: &mut Vec<u8>, fate: Fate) {
        match self {
            Self::Length(length) => to.resize(length as usize, 0),
            Self::Write { at, bytes } => {
                let written = match fate {
                    Fate::Kept => bytes.len() as u64,
                    Fate::Torn(share) => torn(at, bytes.len() as u64, share),
                    Fate::Lost => 0,
                } as usize;
                let (from, until) = (at as usize, at as usize + written);
                if to.len() < until {
                    to.resize(until, 0);
                }
                to[from..until].copy_from_slice(&bytes[..written]);
            }
        }
    }
}

/// How many bytes of a write at `at` are there when it was cut off after `share` of 256, at the end of a sector.
fn torn(at: u64, length: u64, share: u8) -> u64 {
    let end = at + length * u64::from(share) / 256;
    (end / SECTOR * SECTOR).saturating_sub(at).min(length)
}

#[test]
fn what_was_synced_outlives_the_power_and_what_was_not_is_at_its_mercy() {
    let mut platter = Platter::default();
    platter.write(0, b"first");
    assert_eq!(platter.without_power(|| Fate::Lost), None, "not even its name");
    platter.write(0, b"first");
    platter.sync();
    platter.write(5, b" second");
    platter.set_length(2);
    let mut fates = [Fate::Kept, Fate::Lost].into_iter();
    assert_eq!(platter.without_power(|| fates.next().expect("two changes")), Some(b"first second".as_slice()));
    platter.set_length(2);
    platter.forget();
    platter.sync();
    assert_eq!(platter.without_power(|| Fate::Kept), Some(b"first second".as_slice()), "a failed sync is for good");
}

#[test]
fn a_torn_write_ends_at_a_sector() {
    let mut platter = Platter::holding(vec![0; 2048]);
    platter.write(256, &[1; 1024]);
    let left = platter.without_power(|| Fate::Torn(128)).expect("it is there");
    assert_eq!(left[256..512], [1; 256], "up to the end of its first sector");
    assert!(left[512..].iter().all(|byte| *byte == 0), "and no further");
    assert_eq!((torn(0, 4096, 255), torn(0, 4096, 0), torn(100, 50, 255)), (3584, 0, 0));
}

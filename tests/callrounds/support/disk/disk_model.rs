//! A model of one file on a disk: the bytes on stable storage, and the changes since the last sync, which may be lost.

/// Bytes that a disk writes atomically: a torn write ends at a multiple of it.
const SECTOR: u64 = 512;

/// One file of the modelled disk.
#[derive(Debug, Default)]
pub struct ModelFile {
    /// The content on stable storage; `None`: the directory entry is not synced either.
    durable: Option<Vec<u8>>,
    /// Changes since the last sync, in order.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Length(u64),
}

/// What a power failure does to one pending change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerLossEffect {
    Kept,
    Lost,
    /// Of a write, the sectors before this fraction (in 256ths) are on stable storage.
    Torn(u8),
}

impl ModelFile {
    /// A file whose content is on stable storage.
    pub fn holding(bytes: Vec<u8>) -> Self {
        Self { durable: Some(bytes), pending: Vec::new() }
    }

    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        self.pending.push(Change::Write { at, bytes: bytes.to_vec() });
    }

    pub fn set_length(&mut self, length: u64) {
        self.pending.push(Change::Length(length));
    }

    /// Puts every pending change and the file's name on stable storage.
    pub fn sync(&mut self) {
        let mut bytes = self.durable.take().unwrap_or_default();
        for change in self.pending.drain(..) {
            change.apply(&mut bytes, PowerLossEffect::Kept);
        }
        self.durable = Some(bytes);
    }

    /// Models a failed sync: the pages stay readable in the cache, count as clean, and never reach the disk.
    pub fn drop_pending(&mut self) {
        self.pending.clear();
    }

    /// Models a power failure: `effect` decides about each pending change. Returns the file's content, if it still exists.
    pub fn lose_power(&mut self, mut effect: impl FnMut() -> PowerLossEffect) -> Option<&[u8]> {
        for change in self.pending.drain(..) {
            match effect() {
                PowerLossEffect::Lost => {}
                effect @ (PowerLossEffect::Kept | PowerLossEffect::Torn(_)) => {
                    change.apply(self.durable.get_or_insert_default(), effect);
                }
            }
        }
        self.durable.as_deref()
    }
}

impl Change {
    fn apply(self, to: &mut Vec<u8>, effect: PowerLossEffect) {
        match self {
            Self::Length(length) => to.resize(length as usize, 0),
            Self::Write { at, bytes } => {
                let written = match effect {
                    PowerLossEffect::Kept => bytes.len() as u64,
                    PowerLossEffect::Torn(share) => torn(at, bytes.len() as u64, share),
                    PowerLossEffect::Lost => 0,
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

/// How many bytes of a write at `at` remain if it was torn after `share` 256ths: whole sectors only.
fn torn(at: u64, length: u64, share: u8) -> u64 {
    let end = at + length * u64::from(share) / 256;
    (end / SECTOR * SECTOR).saturating_sub(at).min(length)
}

#[test]
fn a_power_failure_keeps_synced_data_and_may_lose_the_rest() {
    let mut file = ModelFile::default();
    file.write(0, b"first");
    assert_eq!(file.lose_power(|| PowerLossEffect::Lost), None, "the name was not synced");
    file.write(0, b"first");
    file.sync();
    file.write(5, b" second");
    file.set_length(2);
    let mut fates = [PowerLossEffect::Kept, PowerLossEffect::Lost].into_iter();
    assert_eq!(file.lose_power(|| fates.next().expect("two changes")), Some(b"first second".as_slice()));
    file.set_length(2);
    file.drop_pending();
    file.sync();
    assert_eq!(
        file.lose_power(|| PowerLossEffect::Kept),
        Some(b"first second".as_slice()),
        "a failed sync loses its data for good"
    );
}

#[test]
fn a_torn_write_ends_at_a_sector() {
    let mut file = ModelFile::holding(vec![0; 2048]);
    file.write(256, &[1; 1024]);
    let left = file.lose_power(|| PowerLossEffect::Torn(128)).expect("the file exists");
    assert_eq!(left[256..512], [1; 256], "up to the end of its first sector");
    assert!(left[512..].iter().all(|byte| *byte == 0), "and no further");
    assert_eq!((torn(0, 4096, 255), torn(0, 4096, 0), torn(100, 50, 255)), (3584, 0, 0));
}

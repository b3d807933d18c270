//! Patients who are taken off while a run is under way. Where that is said is not the engine's business: it asks before
//! every claim.

use std::fmt;
use std::sync::Arc;

use crate::ids::EntryKey;

/// Tells whether the patient of a key is taken off.
pub type IsExcluded = Arc<dyn Fn(&EntryKey) -> bool + Send + Sync>;

/// Who says whom to leave out.
pub trait Exclusions: Send {
    /// What has changed since it was asked last, if anything has; or why nobody can tell, and then nobody may be called.
    fn changed(&mut self) -> Result<Option<IsExcluded>, Untold>;
}

/// Why nobody can tell whom to leave out: what is wrong with the list that should say it, and never what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold(pub String);

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nobody is taken off.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Exclusions for Nobody {
    fn changed(&mut self) -> Result<Option<IsExcluded>, Untold> {
        Ok(None)
    }
}

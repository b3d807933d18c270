//! Patients who are excluded while a run is in progress. The engine asks for changes before every claim; the source
//! decides where they come from.

use std::fmt;
use std::sync::Arc;

use crate::ids::EntryKey;

/// Whether the patient with this key is excluded.
pub type ExclusionCheck = Arc<dyn Fn(&EntryKey) -> bool + Send + Sync>;

/// Where a run's exclusions come from.
pub trait ExclusionSource: Send {
    /// The exclusions, if they have changed since the last call. On an error nobody may be called.
    fn changed(&mut self) -> Result<Option<ExclusionCheck>, ExclusionError>;
}

/// Why the exclusions cannot be read: what is wrong with the list, never what it contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExclusionError(pub String);

impl fmt::Display for ExclusionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

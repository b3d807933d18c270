//! What a run works with: the ledger, the vendors, the clock and the campaign, all handed in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::campaign::Campaign;
use crate::clock::SharedClock;
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, RunHandle};
use crate::vendor::hints::HintReceiver;

use super::exclusions::ExclusionSource;

/// A run before it starts: everything it reads from and writes to.
pub struct Engine<V> {
    /// The ledger of all campaigns.
    pub ledger: Ledger,
    /// The vendor client of each organisation of the campaign.
    pub vendors: BTreeMap<OrganisationId, Arc<V>>,
    /// The wall clock, or a simulated one.
    pub clock: SharedClock,
    /// The checked campaign file.
    pub campaign: Arc<Campaign>,
    /// The run's row in the ledger.
    pub run: RunHandle,
    /// Whether the run waits through closed dialing hours and redial gaps until every entry is finished.
    pub until_done: bool,
    /// Seeds the jitter of retry delays.
    pub seed: u64,
    /// Conversation ids from webhooks, where the run listens for them.
    pub hints: Option<HintReceiver>,
    /// The patients that the run excludes, before or during it; `None`: nobody.
    pub exclusions: Option<Box<dyn ExclusionSource>>,
}

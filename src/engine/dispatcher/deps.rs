//! What one organisation's dispatcher works with.

use std::sync::Arc;

use crate::campaign::{Campaign, Organisation};
use crate::clock::SharedClock;
use crate::engine::run_inputs::Engine;
use crate::engine::run_result::EngineError;
use crate::ledger::{Ledger, RunHandle};

/// An organisation's share of the [`Engine`].
pub(super) struct Deps<V> {
    pub(super) ledger: Ledger,
    pub(super) vendor: Arc<V>,
    pub(super) clock: SharedClock,
    pub(super) campaign: Arc<Campaign>,
    pub(super) run: RunHandle,
    pub(super) until_done: bool,
    pub(super) seed: u64,
}

impl<V> Deps<V> {
    pub(super) fn new(engine: &Engine<V>, organisation: &Organisation) -> Result<Self, EngineError> {
        let id = &organisation.id;
        let vendor = engine.vendors.get(id).ok_or_else(|| EngineError::NoVendor(id.clone()))?;
        Ok(Self {
            ledger: engine.ledger.clone(),
            vendor: Arc::clone(vendor),
            clock: Arc::clone(&engine.clock),
            campaign: Arc::clone(&engine.campaign),
            run: engine.run,
            until_done: engine.until_done,
            seed: engine.seed,
        })
    }
}

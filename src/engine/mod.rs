//! A run: due entries are claimed, sent, followed and settled until nothing more may be done.
//!
//! One dispatcher ([`run`]) for each organisation of the campaign owns all of its state; what waits (requests, commits) runs
//! beside it and comes back as something that happened. [`tracker`] says what to read, by [`scan`]s of the vendor's list,
//! whose rows show their own [order](list_order) and [which of them are calls](call_media); [`reconciler`] settles lost
//! answers by rule R; [`hinted`] is what webhooks add; [`look`] sees whether the ledger holds every call; [`vendor_clock`]
//! whether our clock can be trusted; [`guard`] counts what stops a run early; [`line`](mod@line) is how the vendor is
//! doing, [`outage`] what is out, [`refusals`] whose a refusal is, and [`rest`] how organisations rest together; [`events`] are
//! what the outside is told, [`exclusions`] what it may say meanwhile.
//!
//! The vendors, the clock and the stop signal are handed in.

pub mod call_media;
mod dispatcher;
pub mod ending;
pub mod events;
pub mod exclusions;
pub mod guard;
pub mod hinted;
mod line;
pub mod list_order;
pub mod look;
pub mod outage;
pub mod reconciler;
mod refusals;
mod replies;
mod rest;
pub mod scan;
pub mod tracker;
pub mod vendor_clock;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

pub use dispatcher::run;
pub use ending::{Ending, Refusal};
pub use events::{Event, Listener};
pub use exclusions::Exclusions;
pub use outage::Outage;
pub use vendor_clock::CLOCK_TOLERANCE;

use crate::annie::Vendor;
use crate::annie::webhook::Hints;
use crate::campaign::Campaign;
use crate::clock::SharedClock;
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, LedgerError, RunHandle};

/// How much the vendor's clock may differ from ours beyond what its `Date` tells.
const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(120);

/// A scan is asked to reach so much further back than it must: how far the vendor's clock is ahead is measured anew with
/// every answer, and a scan that fell short by a second would prove nothing.
const ASKED_BEYOND: TimeDelta = TimeDelta::seconds(60);

/// What a run works with.
pub struct Engine<V> {
    /// Where everything is kept.
    pub ledger: Ledger,
    /// Who places the calls, for each organisation of the campaign.
    pub vendors: BTreeMap<OrganisationId, Arc<V>>,
    /// What time it is.
    pub clock: SharedClock,
    /// By which rules.
    pub campaign: Arc<Campaign>,
    /// Which run.
    pub run: RunHandle,
    /// Whether closed windows and redial gaps are slept through until every entry is finished.
    pub until_done: bool,
    /// Seeds the spread of retry delays.
    pub seed: u64,
    /// What the vendor's webhooks name, where they are taken.
    pub hints: Option<Hints>,
}

/// How a run ended, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Why it placed no further calls: the gravest of its organisations' reasons.
    pub ending: Ending,
    /// Why each organisation placed no further calls, in the order of the campaign.
    pub endings: Vec<(OrganisationId, Ending)>,
    /// The requests that it made.
    pub requests: Requests,
}

impl Finished {
    /// In a sentence why it placed no further calls; where organisations differ, for each that did not just end.
    #[must_use]
    pub fn why(&self) -> String {
        let differs = self.endings.iter().any(|(_, ending)| *ending != self.ending);
        if !differs {
            return self.ending.to_string();
        }
        let stopped = self.endings.iter().filter(|(_, ending)| *ending != Ending::Done);
        let told: Vec<_> = stopped.map(|(organisation, ending)| format!("{organisation}: {ending}")).collect();
        match told.split_at_checked(NAMED) {
            Some((named, more)) if !more.is_empty() => format!("{}; and {} more", named.join("; "), more.len()),
            Some(_) | None => told.join("; "),
        }
    }
}

/// Organisations named in one sentence.
const NAMED: usize = 5;

/// Requests made, all of which count against the organisation's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Requests {
    /// `POST /calls`.
    pub calls: u64,
    /// Pages of the conversation list.
    pub pages: u64,
    /// Single conversations.
    pub conversations: u64,
    /// Everything else.
    pub other: u64,
}

impl std::ops::AddAssign for Requests {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.pages += more.pages;
        self.conversations += more.conversations;
        self.other += more.other;
    }
}

/// What ends a run at once: without the ledger nothing may be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nobody is there to place an organisation's calls.
    #[error("there is no vendor for the organisation {0}")]
    NoVendor(OrganisationId),
    /// A part of the program that runs beside the dispatcher failed.
    #[error("a request ended without an answer; run again to settle it")]
    Panicked,
}

impl<V: Vendor> Engine<V> {
    /// Runs until nothing more may be done, or until `stop` completes and the replies under way have come.
    pub async fn run(
        self,
        listener: &mut dyn Listener,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Finished, EngineError> {
        self.run_without(&mut exclusions::Nobody, listener, stop).await
    }

    /// The same, leaving out whom `exclusions` names, now or later.
    pub async fn run_without(
        self,
        exclusions: &mut dyn Exclusions,
        listener: &mut dyn Listener,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Finished, EngineError> {
        run(self, exclusions, listener, stop).await
    }
}

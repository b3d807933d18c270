//! What the dispatchers of a run have in common: whom they tell, whom they leave out, how many calls the run has placed,
//! and the time they rest through. None waits for another.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::Vendor;
use crate::campaign::{Account, Lines};
use crate::engine::ending::Ending;
use crate::engine::events::{Event, Listener};
use crate::engine::exclusions::{Exclusions, IsExcluded, Untold};
use crate::engine::guard::Placed;
use crate::engine::rest::Rests;
use crate::engine::{Engine, EngineError, Finished, Requests};
use crate::entry::AttemptState;
use crate::ids::OrganisationId;
use crate::ledger::{Finish, UnderWay};

use super::{Dispatcher, Part};

/// For how long each run asks again for what was lost track of.
const ASKED_AGAIN_FOR: TimeDelta = TimeDelta::days(30);

/// What the dispatchers of a run have in common.
pub(super) struct Common<'l> {
    listener: Mutex<&'l mut dyn Listener>,
    exclusions: Mutex<&'l mut dyn Exclusions>,
    pub(super) placed: Placed,
    pub(super) rests: Rests,
    /// Whether there are several organisations, so that one must be named.
    several: bool,
    left: Mutex<BTreeMap<usize, Left>>,
}

/// What former runs have left to one organisation.
#[derive(Default)]
pub(super) struct Left {
    /// Attempts that are not settled.
    pub(super) under_way: Vec<UnderWay>,
    /// Attempts that were lost track of, lately enough to be asked for again.
    pub(super) given_up: Vec<UnderWay>,
    /// Calls that this run placed before it was interrupted.
    pub(super) placed: u32,
    /// How its calls finished, as far as stop rules count them.
    pub(super) finishes: Vec<Finish>,
    /// The newest event of the whole ledger.
    pub(super) newest: Option<DateTime<Utc>>,
}

impl<'l> Common<'l> {
    pub(super) async fn of<V: Vendor>(
        engine: &Engine<V>,
        exclusions: &'l mut dyn Exclusions,
        listener: &'l mut dyn Listener,
    ) -> Result<Self, EngineError> {
        let lines = &engine.campaign.lines;
        let left = what_is_left(engine, lines).await?;
        let placed = Placed::of(left.values().map(|left| left.placed).sum());
        let common = Self {
            listener: Mutex::new(listener),
            exclusions: Mutex::new(exclusions),
            placed,
            rests: Rests::of(lines.accounts().len()),
            several: lines.accounts().len() > 1,
            left: Mutex::new(left),
        };
        Ok(common)
    }

    /// A dispatcher for each organisation, in the order of the campaign.
    pub(super) async fn dispatchers<'a, V: Vendor>(
        &'a self,
        engine: &Engine<V>,
    ) -> Result<Vec<Dispatcher<'a, 'l, V>>, EngineError> {
        let mut left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        self.tell(&[started(engine, &left)]);
        let mut dispatchers = Vec::new();
        for (at, account) in engine.campaign.lines.accounts().iter().enumerate() {
            let part = part(engine, account)?;
            let left = left.remove(&at).unwrap_or_default();
            dispatchers.push(Dispatcher::begin(at, account, part, self, left).await?);
        }
        Ok(dispatchers)
    }

    pub(super) fn tell(&self, events: &[Event]) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            tracing::info!(?event);
            listener.hear(event);
        }
    }

    /// Whom the outside takes off since it was asked last.
    pub(super) fn exclusions(&self) -> Result<Option<IsExcluded>, Untold> {
        self.exclusions.lock().unwrap_or_else(PoisonError::into_inner).changed()
    }

    /// An organisation's name, where it must be said.
    pub(super) fn name_of(&self, organisation: &OrganisationId) -> Option<OrganisationId> {
        self.several.then(|| organisation.clone())
    }
}

/// The run's end, from its organisations' ends.
pub(super) fn finished(mut endings: Vec<(usize, OrganisationId, Ending)>, requests: Requests) -> Finished {
    endings.sort_by_key(|(at, ..)| *at);
    let endings: Vec<_> = endings.into_iter().map(|(_, organisation, ending)| (organisation, ending)).collect();
    let gravest = endings.iter().map(|(_, ending)| ending).max_by_key(|ending| ending.gravity());
    let ending = match gravest {
        Some(Ending::WindowClosed { .. }) => Ending::WindowClosed { opens: opens(&endings) },
        Some(ending) => ending.clone(),
        None => Ending::Done,
    };
    Finished { ending, endings, requests }
}

/// When the first window opens.
fn opens(endings: &[(OrganisationId, Ending)]) -> Option<DateTime<Utc>> {
    let opens = |ending: &Ending| if let Ending::WindowClosed { opens } = ending { *opens } else { None };
    endings.iter().filter_map(|(_, ending)| opens(ending)).min()
}

fn part<V>(engine: &Engine<V>, account: &Account) -> Result<Part<V>, EngineError> {
    let organisation = &account.organisation;
    let vendor = engine.vendors.get(organisation).ok_or_else(|| EngineError::NoVendor(organisation.clone()))?;
    Ok(Part {
        ledger: engine.ledger.clone(),
        vendor: Arc::clone(vendor),
        clock: Arc::clone(&engine.clock),
        campaign: Arc::clone(&engine.campaign),
        run: engine.run,
        until_done: engine.until_done,
        seed: engine.seed,
    })
}

fn started<V>(engine: &Engine<V>, left: &BTreeMap<usize, Left>) -> Event {
    let attempts = || left.values().flat_map(|left| &left.under_way);
    let following = attempts().filter(|attempt| is_open(attempt)).count();
    Event::Started {
        at: engine.clock.now(),
        run: engine.run.run,
        following,
        unresolved: attempts().count() - following,
    }
}

fn is_open(attempt: &UnderWay) -> bool {
    attempt.state == AttemptState::Open && attempt.conversation.is_some()
}

/// What former runs have left, by the place of its organisation in the campaign.
async fn what_is_left<V>(engine: &Engine<V>, lines: &Lines) -> Result<BTreeMap<usize, Left>, EngineError> {
    let (ledger, run) = (&engine.ledger, engine.run);
    let newest = ledger.newest_event().await?;
    let mut left: BTreeMap<usize, Left> =
        (0..lines.accounts().len()).map(|at| (at, Left { newest, ..Left::default() })).collect();
    for attempt in ledger.under_way(run.campaign).await? {
        if let Some(left) = lines.account_of(&attempt.organisation, attempt.from).and_then(|at| left.get_mut(&at)) {
            left.under_way.push(attempt);
        }
    }
    for attempt in ledger.lost_track(run.campaign, engine.clock.now() - ASKED_AGAIN_FOR).await? {
        if let Some(left) = lines.account_of(&attempt.organisation, attempt.from).and_then(|at| left.get_mut(&at)) {
            left.given_up.push(attempt);
        }
    }
    let places: HashMap<_, _> = (0..).zip(lines.accounts()).map(|(at, account)| (&account.organisation, at)).collect();
    for (organisation, finish) in ledger.finishes(run.campaign).await? {
        if let Some(left) = places.get(&organisation).and_then(|at| left.get_mut(at)) {
            left.finishes.push(finish);
        }
    }
    let safety = &engine.campaign.safety;
    if safety.max_calls.is_none() && safety.canary.is_none() {
        // Nobody counts them.
        return Ok(left);
    }
    for (organisation, placed) in ledger.placed(run.run).await? {
        if let Some(left) = places.get(&organisation).and_then(|at| left.get_mut(at)) {
            left.placed += placed;
        }
    }
    Ok(left)
}

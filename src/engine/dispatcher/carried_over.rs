//! What the ledger holds from earlier runs, read at the start of a run.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::events::Event;
use crate::engine::run_inputs::Engine;
use crate::engine::run_result::EngineError;
use crate::entry::AttemptState;
use crate::ledger::{CallResult, CallerId, InFlightAttempt, Pause, RunHandle, Watermark};
use crate::phone::E164;

/// How far back a run reads conversations again that were lost track of.
const LOST_TRACK_RETRY_PERIOD: TimeDelta = TimeDelta::days(30);

/// What earlier runs left to one organisation.
#[derive(Default)]
pub(super) struct CarriedOver {
    /// Attempts that are not settled.
    pub(super) in_flight: Vec<InFlightAttempt>,
    /// Attempts that were lost track of, recently enough to be read again.
    pub(super) lost_track: Vec<InFlightAttempt>,
    /// Calls that this run placed before it was interrupted.
    pub(super) placed: u32,
    /// The results of the organisation's calls since a run of the campaign last ended other than by an interruption;
    /// stop rules count them.
    pub(super) call_results: Vec<CallResult>,
    /// The campaign's pause, if it is paused.
    pub(super) pause: Option<Pause>,
    /// The newest event of the whole ledger.
    pub(super) newest_event: Option<DateTime<Utc>>,
    /// How far the ledger's record of each caller id's calls is complete.
    pub(super) watermarks: Vec<(E164, Watermark)>,
    /// The media that the organisation's calls have shown, by the word and whether the call had ended.
    pub(super) call_media: Vec<(Option<String>, bool)>,
}

/// Reads what earlier runs left, by the index of the organisation in the campaign.
pub(super) async fn load<V>(engine: &Engine<V>) -> Result<BTreeMap<usize, CarriedOver>, EngineError> {
    let (ledger, run, locations) = (&engine.ledger, engine.run, &engine.campaign.locations);
    let newest_event = ledger.newest_event().await?;
    let pause = ledger.pause(run.campaign, engine.clock.now()).await?;
    let organisations = locations.organisations();
    let mut carried = BTreeMap::new();
    for (index, organisation) in organisations.iter().enumerate() {
        let id = &organisation.id;
        let mut watermarks = Vec::new();
        for from in organisation.numbers() {
            watermarks.push((from, ledger.watermark(CallerId { organisation: id.clone(), from }).await?));
        }
        let call_media = ledger.call_media(id.clone()).await?;
        let pause = pause.clone();
        carried.insert(index, CarriedOver { pause, newest_event, watermarks, call_media, ..CarriedOver::default() });
    }
    for attempt in ledger.in_flight(run.campaign).await? {
        let index = locations.organisation_index(&attempt.organisation, attempt.from);
        if let Some(carried) = index.and_then(|index| carried.get_mut(&index)) {
            carried.in_flight.push(attempt);
        }
    }
    for attempt in ledger.lost_track(run.campaign, engine.clock.now() - LOST_TRACK_RETRY_PERIOD).await? {
        let index = locations.organisation_index(&attempt.organisation, attempt.from);
        if let Some(carried) = index.and_then(|index| carried.get_mut(&index)) {
            carried.lost_track.push(attempt);
        }
    }
    let indices: HashMap<_, _> =
        (0..).zip(organisations).map(|(index, organisation)| (&organisation.id, index)).collect();
    for (organisation, finish) in ledger.call_results(run.campaign).await? {
        if let Some(carried) = indices.get(&organisation).and_then(|index| carried.get_mut(index)) {
            carried.call_results.push(finish);
        }
    }
    let safety = &engine.campaign.safety;
    if safety.max_calls.is_none() && safety.canary.is_none() {
        // No rule counts placed calls.
        return Ok(carried);
    }
    for (organisation, placed) in ledger.placed(run.run).await? {
        if let Some(carried) = indices.get(&organisation).and_then(|index| carried.get_mut(index)) {
            carried.placed += placed;
        }
    }
    Ok(carried)
}

pub(super) fn started_event(run: RunHandle, carried: &BTreeMap<usize, CarriedOver>, at: DateTime<Utc>) -> Event {
    let attempts = || carried.values().flat_map(|carried| &carried.in_flight);
    let following = attempts().filter(|attempt| is_open(attempt)).count();
    Event::Started { at, run: run.run, following, unresolved: attempts().count() - following }
}

fn is_open(attempt: &InFlightAttempt) -> bool {
    attempt.state == AttemptState::Open && attempt.conversation.is_some()
}

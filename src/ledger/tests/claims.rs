//! Claims.

use super::*;

pub(super) fn a_claim_authorises_once_and_its_intent_is_committed_when_it_returns(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    assert_eq!(claimed.len(), 1);
    assert_eq!(fixture.attempt_states(), [AttemptState::Submitting]);
    assert_eq!(fixture.calls_to(101), [noon()]);
    let in_flight = committed(fixture.ledger().in_flight(fixture.run.campaign)).expect("attempts");
    assert_eq!(in_flight.iter().map(|attempt| attempt.attempt).collect::<Vec<_>>(), [claimed[0].attempt]);
    fixture.check_states(&[("P-1", State::Submitting)]);
    assert!(fixture.claim().is_empty());
    assert_eq!(fixture.attempt_states().len(), 1);
}

pub(super) fn a_number_with_an_unsettled_call_waits(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 101)]);
    let claims = fixture.claim_at(noon());
    assert_eq!(claims.claimed.len(), 1);
    let deferred: Vec<_> = claims.deferred.iter().map(|entry| (entry.state, entry.reason)).collect();
    // The daily cap lasts longer than the call that is under way.
    assert_eq!(deferred, [(State::Waiting, Reason::DailyCap)]);
}

//! An operator's decisions.

use super::*;

pub(super) fn a_person_may_settle_an_entry_that_was_lost_track_of(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101)]);
    let claimed = fixture.claim();
    fixture.record(vec![update(&claimed[0], Fact::Accepted)]).expect("recorded");
    fixture.record(vec![update(&claimed[0], Fact::TrackLost)]).expect("recorded");
    fixture.check_states(&[("P-1", State::LostTrack)]);
    let settled = fixture.operator(noon()).resolve(claimed[0].entry, Resolution::Cancel, "somebody", noon());
    assert_eq!(settled.expect("settled"), State::Cancelled);
    assert!(fixture.claim().is_empty());
}

pub(super) fn a_number_suppressed_after_the_claim_is_found_before_the_request_leaves(open: Opener) {
    let fixture = Fixture::with(open, &[entry("1", 101)]);
    let claimed = fixture.claim();
    let is_forbidden =
        |at| committed(fixture.ledger().forbids(claimed[0].to, fixture.campaign.purpose, at)).expect("asked");
    assert!(!is_forbidden(noon()));
    let until = noon() + TimeDelta::hours(1);
    fixture.suppress(claimed[0].to, Some(until), noon());
    assert!(is_forbidden(noon()));
    assert!(!is_forbidden(until), "a suppression ends when it expires");
}

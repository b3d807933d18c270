//! What deliveries of the vendor save.

use super::*;

/// A tracker that has just finished a scan.
fn just_scanned(open: u32) -> Tracker {
    let mut tracker = tracking(open);
    assert_eq!(reads_until(&mut tracker, BLOCKED, 20, 21, |_| vec![]).len(), 1);
    tracker
}

#[test]
fn one_hint_is_read_by_its_id_and_several_by_a_page() {
    for (hinted, first) in [
        (vec![3], Some(PollRequest::Conversation(id(3)))),
        (vec![3, 3, 3], Some(PollRequest::Conversation(id(3)))),
        (vec![3, 4], Some(PollRequest::Page { offset: 0 })),
        (vec![77], None),
        (vec![], None),
    ] {
        for urgency in [BLOCKED, PollUrgency::Draining] {
            let mut tracker = just_scanned(9);
            let hints = |second| if second == 22 { hinted.clone() } else { vec![] };
            let reads = reads_until(&mut tracker, urgency, 22, 30, hints);
            assert_eq!(reads.first(), first.as_ref(), "{urgency:?} {hinted:?}");
            assert_eq!(reads.len(), usize::from(first.is_some()), "{urgency:?} {hinted:?}");
        }
    }
}

#[test]
fn a_call_too_young_to_have_ended_is_not_read_for_a_hint() {
    let mut tracker = tracking(1);
    tracker.on_hint(id(0), after(9));
    assert_eq!(tracker.webhook_hints.due_at(BLOCKED), None);
    tracker.on_hint(id(0), after(10));
    assert_eq!(tracker.webhook_hints.due_at(BLOCKED), Some(after(10)));
}

#[test]
fn while_the_budget_goes_to_calls_hints_are_gathered() {
    let hints = |second| if second == 22 { vec![3] } else { vec![] };
    let mut tracker = just_scanned(99);
    tracker.schedule.on_scanned(ScanPurpose::Proof, after(1_000), 1);
    assert_eq!(reads_until(&mut tracker, PollUrgency::Dialing, 22, 82, hints), []);
    assert_eq!(reads_until(&mut tracker, PollUrgency::Dialing, 82, 90, |_| vec![]), [PollRequest::Page { offset: 0 }]);

    let many = |second| if second == 55 { (0..60).collect() } else { vec![] };
    let mut tracker = just_scanned(99);
    tracker.schedule.on_scanned(ScanPurpose::Proof, after(1_000), 1);
    assert_eq!(reads_until(&mut tracker, PollUrgency::Dialing, 22, 60, many), [PollRequest::Page { offset: 0 }]);
}

#[test]
fn hints_cost_no_more_requests_than_polling_alone() {
    let saved_up = 2;
    for urgency in [BLOCKED, PollUrgency::Draining, PollUrgency::Dialing] {
        for hinted in [vec![3], vec![3, 4], (0..99).collect()] {
            let mut tracker = just_scanned(99);
            let reads = reads_until(&mut tracker, urgency, 22, 622, |_| hinted.clone()).len() as i32;
            let most = 600 / urgency.interval(1).num_seconds() as i32;
            assert!((most / 2..=2 * most + saved_up).contains(&reads), "{urgency:?} {}: {reads}, {most}", hinted.len());
        }
    }
}

#[test]
fn while_hints_prove_right_the_list_is_read_less_often() {
    let mut tracker = just_scanned(9);
    tracker.on_hint(id(3), after(22));
    assert_eq!(tracker.next_read(BLOCKED, after(22), None, TimeDelta::zero()), PollRequest::Conversation(id(3)));
    let [closed] = page(&[(3, Status::Closed)]).conversations.try_into().expect("one");
    assert!(tracker.on_conversation(&closed, after(22)).is_some());
    assert_eq!(reads_until(&mut tracker, BLOCKED, 22, 50, |_| vec![]), []);
    assert_eq!(reads_until(&mut tracker, BLOCKED, 50, 202, |_| vec![]).len(), 6, "every 30 s");
    assert_eq!(reads_until(&mut tracker, BLOCKED, 210, 310, |_| vec![]).len(), 10, "every 10 s");
}

#[test]
fn a_hinted_conversation_missing_from_the_list_is_read_by_id() {
    let mut tracker = just_scanned(2);
    tracker.on_hint(id(0), after(22));
    tracker.on_hint(id(1), after(22));
    assert_eq!(tracker.next_read(BLOCKED, after(22), None, TimeDelta::zero()), PollRequest::Page { offset: 0 });
    tracker.on_page(&page(&[(0, Status::Open)]), after(22));
    assert_eq!(tracker.next_read(BLOCKED, after(22), None, TimeDelta::zero()), PollRequest::Page { offset: 1 });
    tracker.on_page(&page(&[]), after(22));
    assert_eq!(tracker.next_read(BLOCKED, after(23), None, TimeDelta::zero()), PollRequest::Conversation(id(1)));
}

#[test]
fn a_hint_that_arrives_while_a_page_is_in_flight_is_not_lost() {
    for (again, is_served) in [(None, true), (Some(21), true), (Some(24), false)] {
        let mut tracker = just_scanned(2);
        tracker.on_hint(id(0), after(21));
        tracker.on_hint(id(1), after(21));
        if let Some(second) = again.filter(|second| *second <= 22) {
            tracker.on_hint(id(1), after(second));
        }
        tracker.next_read(BLOCKED, after(22), None, TimeDelta::zero());
        if let Some(second) = again.filter(|second| *second > 22) {
            tracker.on_hint(id(1), after(second));
        }
        tracker.on_page(&page(&[(0, Status::Open), (1, Status::Open)]), after(25));
        assert_eq!(tracker.webhook_hints.due_at(BLOCKED).is_none(), is_served, "{again:?}");
    }
}

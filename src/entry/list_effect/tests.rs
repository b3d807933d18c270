//! What lists do to the entries that a campaign has.

use std::fmt::Write;

use super::*;

/// What happens to an entry in each state, whose reason comes from a list or not, or is that its number is barred: it is
/// listed and may be called, is listed as suppressed, is listed as held, is absent, is excluded; and its change if its
/// number and data differ. `later`: once it is settled; `-`: nothing. The columns are in this order.
const EFFECTS: &str = "
ready       list  -       barred        set_aside        unlisted        barred        Renumbered
ready       own   -       barred        set_aside        unlisted        barred        Renumbered
waiting     list  -       barred        set_aside        unlisted        barred        Renumbered
waiting     own   -       barred        set_aside        unlisted        barred        Renumbered
submitting  list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
submitting  own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
open        list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
open        own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
unknown     list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
unknown     own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
held        list  listed  barred        set_aside        unlisted        -             Renumbered
held        own   -       later barred  later set_aside  later unlisted  later barred  Renumbered
finished    list  -       later barred  later set_aside  -               later barred  Same
finished    own   -       later barred  later set_aside  -               later barred  Same
failed      list  -       later barred  later set_aside  later unlisted  later barred  Same
failed      own   -       later barred  later set_aside  later unlisted  later barred  Same
suppressed  list  listed  barred        set_aside        unlisted        -             Renumbered
suppressed  own   -       -             -                -               -             Renumbered
suppressed  bar   -       later barred  later set_aside  later unlisted  later barred  Renumbered
withdrawn   list  listed  barred        set_aside        -               -             Renumbered
withdrawn   own   -       -             -                -               -             Renumbered
expired     list  listed  -             -                -               -             Renumbered
expired     own   listed  -             -                -               -             Renumbered
cancelled   list  -       later barred  later set_aside  later unlisted  later barred  Same
cancelled   own   -       later barred  later set_aside  later unlisted  later barred  Same
lost_track  list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
lost_track  own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
";

#[test]
fn a_list_has_the_effect_that_the_table_says() {
    let now = DateTime::UNIX_EPOCH;
    let word = |effect: ListEffect| match effect {
        ListEffect::Nothing => "-".to_owned(),
        ListEffect::Now(fact) => fact.name().to_owned(),
        ListEffect::OnceSettled(fact) => format!("later {}", fact.name()),
        ListEffect::Corrected { .. } => "corrected".to_owned(),
    };
    let mut table = String::from("\n");
    for state in State::ALL {
        for (from, reason) in [("list", Reason::Excluded), ("own", Reason::Operator), ("bar", Reason::Suppressed)] {
            if reason == Reason::Suppressed && state != State::Suppressed {
                continue;
            }
            let status = EntryStatus { state, reason: Some(reason), due_at: now, outcome: None };
            let reason = Reason::DoNotCall;
            let listed = [ListEligibility::Ready, ListEligibility::Suppressed(reason), ListEligibility::Held(reason)];
            let number = ListedNumber::Other;
            let listing =
                |eligibility| Listing { eligibility, not_after: None, number, is_barred: true, has_same_data: false };
            let listed = listed.map(|eligibility| word(status.on_listed(listing(eligibility), now)));
            let [ready, suppressed, held] = listed;
            let (absent, excluded) = (word(status.on_absent(None, now)), word(status.on_excluded()));
            let cells = format!("{ready:<7} {suppressed:<13} {held:<16} {absent:<15} {excluded:<13}");
            let _ = writeln!(
                table,
                "{:<11} {from:<5} {cells} {:?}",
                state.name(),
                status.change(listing(ListEligibility::Ready), &ListEffect::Nothing)
            );
        }
    }
    assert_eq!(table, EFFECTS, "{table}");
}

#[test]
fn a_corrected_number_is_a_new_chance_or_why_there_is_none_is_what_the_list_says() {
    let now = DateTime::UNIX_EPOCH;
    let outcome = Some(Outcome::WrongNumber);
    let status = EntryStatus { state: State::Finished, reason: None, due_at: now, outcome };
    let barred = Fact::Barred { reason: Reason::Booked };
    for (eligibility, forbidden, change) in [
        (ListEligibility::Ready, None, EntryChange::Corrected),
        (ListEligibility::Suppressed(Reason::Booked), Some(barred), EntryChange::Excluded),
    ] {
        let number = ListedNumber::NewChance;
        let listing = Listing { eligibility, not_after: None, number, is_barred: false, has_same_data: true };
        let effect = status.on_listed(listing, now);
        assert_eq!(effect, ListEffect::Corrected { forbidden });
        assert_eq!(status.change(listing, &effect), change);
    }
}

#[test]
fn an_entry_that_has_expired_is_called_again_only_if_its_new_last_moment_is_to_come() {
    let now = DateTime::UNIX_EPOCH;
    let status = EntryStatus { state: State::Expired, reason: Some(Reason::NotAfter), due_at: now, outcome: None };
    let later = now + chrono::TimeDelta::hours(1);
    for (not_after, effect) in [(None, Some(Fact::Listed)), (Some(later), Some(Fact::Listed)), (Some(now), None)] {
        let eligibility = ListEligibility::Ready;
        let listing =
            Listing { eligibility, not_after, number: ListedNumber::Same, is_barred: true, has_same_data: true };
        assert_eq!(status.on_listed(listing, now).now(), effect);
    }
}

#[test]
fn an_absent_entry_whose_last_moment_has_passed_has_expired() {
    let now = DateTime::UNIX_EPOCH;
    let status = EntryStatus { state: State::Ready, reason: None, due_at: now, outcome: None };
    let hour = chrono::TimeDelta::hours(1);
    for (not_after, expected) in [
        (None, Fact::Unlisted),
        (Some(now + hour), Fact::Unlisted),
        (Some(now - hour), Fact::TooLate { reason: Reason::NotAfter }),
    ] {
        assert_eq!(status.on_absent(not_after, now).now(), Some(expected));
    }
}

#[test]
fn only_a_change_that_matters_counts() {
    let status = |state| EntryStatus { state, reason: None, due_at: DateTime::UNIX_EPOCH, outcome: None };
    for (state, number, has_same_data, change) in [
        (State::Ready, ListedNumber::Same, true, EntryChange::Same),
        (State::Ready, ListedNumber::Same, false, EntryChange::Changed),
        (State::Open, ListedNumber::Same, false, EntryChange::Changed),
        (State::Open, ListedNumber::Other, true, EntryChange::RenumberedUnderWay),
        (State::Ready, ListedNumber::NewChance, true, EntryChange::Renumbered),
        (State::Finished, ListedNumber::Other, false, EntryChange::Same),
    ] {
        let listing =
            Listing { eligibility: ListEligibility::Ready, not_after: None, number, is_barred: true, has_same_data };
        assert_eq!(status(state).change(listing, &ListEffect::Nothing), change, "{state}");
    }
}

#[test]
fn an_exclusion_that_comes_goes_or_is_replaced_by_a_return_is_a_change() {
    let now = DateTime::UNIX_EPOCH;
    let booked = ListEligibility::Suppressed(Reason::Booked);
    for (state, reason, eligibility, change) in [
        (State::Ready, None, booked, EntryChange::Excluded),
        (State::Waiting, Some(Reason::RedialGap), ListEligibility::Held(Reason::NoLine), EntryChange::Excluded),
        (State::Suppressed, Some(Reason::Booked), ListEligibility::Ready, EntryChange::Allowed),
        (State::Suppressed, Some(Reason::AppointmentOff), ListEligibility::Ready, EntryChange::Allowed),
        (State::Held, Some(Reason::NoLine), ListEligibility::Ready, EntryChange::Allowed),
        (State::Withdrawn, Some(Reason::Unlisted), ListEligibility::Ready, EntryChange::Returned),
        (State::Suppressed, Some(Reason::Booked), booked, EntryChange::Same),
        (State::Expired, Some(Reason::NotAfter), ListEligibility::Ready, EntryChange::Same),
    ] {
        let status = EntryStatus { state, reason, due_at: now, outcome: None };
        let listing =
            Listing { eligibility, not_after: None, number: ListedNumber::Same, is_barred: true, has_same_data: true };
        assert_eq!(status.change(listing, &status.on_listed(listing, now)), change, "{state} {reason:?}");
    }
}

#[test]
fn a_patient_whose_number_is_not_suppressed_any_more_is_back() {
    let now = DateTime::UNIX_EPOCH;
    let reason = Some(Reason::Suppressed);
    let status = EntryStatus { state: State::Suppressed, reason, due_at: now, outcome: None };
    for (is_barred, effect) in [(true, None), (false, Some(Fact::Listed))] {
        let (eligibility, number) = (ListEligibility::Ready, ListedNumber::Same);
        let listing = Listing { eligibility, not_after: None, number, is_barred, has_same_data: true };
        assert_eq!(status.on_listed(listing, now).now(), effect);
    }
}

#[test]
fn a_corrected_number_is_a_new_chance_after_a_wrong_one() {
    let now = DateTime::UNIX_EPOCH;
    let (chance, other) = (ListedNumber::NewChance, ListedNumber::Other);
    for (state, reason, outcome, number, eligibility, is_called_again) in [
        (State::Finished, None, Some(Outcome::WrongNumber), chance, ListEligibility::Ready, true),
        (State::Finished, None, Some(Outcome::InvalidNumber), chance, ListEligibility::Ready, true),
        (State::Finished, None, Some(Outcome::WrongNumber), other, ListEligibility::Ready, false),
        (State::Finished, None, Some(Outcome::Declined), chance, ListEligibility::Ready, false),
        (State::Failed, Some(Reason::VendorRefused), None, chance, ListEligibility::Ready, true),
        (State::Failed, Some(Reason::ContentRefused), None, chance, ListEligibility::Ready, false),
        (State::Suppressed, Some(Reason::Suppressed), None, chance, ListEligibility::Ready, false),
        (State::Cancelled, Some(Reason::Operator), Some(Outcome::WrongNumber), chance, ListEligibility::Ready, false),
    ] {
        let status = EntryStatus { state, reason, due_at: now, outcome };
        let effect = status
            .on_listed(Listing { eligibility, not_after: None, number, is_barred: true, has_same_data: true }, now);
        assert_eq!(effect.now() == Some(Fact::NumberCorrected), is_called_again, "{state} {reason:?} {outcome:?}");
    }
}

#[test]
fn a_demand_is_read_back_as_it_was_stored() {
    let reason = Reason::Excluded;
    for fact in [Fact::Barred { reason }, Fact::SetAside { reason }, Fact::Unlisted] {
        let to = State::Ready.after(&fact).expect("a callable entry");
        assert_eq!(demanded_fact(to, reason), Some(fact));
    }
    assert_eq!(demanded_fact(State::Open, reason), None);
}

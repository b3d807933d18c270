//! The rules, each with the sentence that it comes from, and with what the specification leaves open.

use super::Verdict::{Forbidden, Free, Open};
use super::{Call, Campaign, Case, Certainty, Fate, ListTaken, MARGIN, Oracle, PastCall, Pause, Person, Verdict};
use crate::engine::forty_nights::calendar::{Instant, Number, PRACTICE, dialing_hours, part_of_day};
use crate::engine::forty_nights::story::CallResult;
use chrono::Duration;

pub(super) type NumberRule = fn(&Oracle, Number, Instant) -> Verdict;
pub(super) type CampaignRule = fn(&Oracle, Campaign, Instant) -> Verdict;
pub(super) type PersonRule = fn(&Oracle, &Person, &Case) -> Verdict;

pub(super) const CAMPAIGN_RULES: [CampaignRule; 3] =
    [a_call_belongs_to_a_run, a_refused_list_sends_nothing, pause_holds];

pub(super) const NUMBER_RULES: [NumberRule; 8] =
    [suppression, opt_out, doubt, daily_gap, weekly_cap, monthly_cap, cool_down, dialing_hours_are_kept];

/// The rules whose answer does not change by waiting, in the order from cheap to dear.
pub(super) const LASTING_RULES: [PersonRule; 10] = [
    withdrawn,
    excluded_by_the_list,
    cancelled,
    dropped,
    settled_by_an_outcome,
    held,
    number_of_this_patient,
    not_again_to_a_wrong_number,
    not_again_after_a_refusal,
    attempts,
];

pub(super) const TIMED_RULES: [PersonRule; 3] = [redial_gap, another_part_of_the_day, before_the_appointment];

// --- rules of the campaign -------------------------------------------------------------------------------------------

/// Calls are placed by a run of tonight, from its start on.
pub(super) fn a_call_belongs_to_a_run(oracle: &Oracle, campaign: Campaign, at: Instant) -> Verdict {
    let run = oracle.tonight.and_then(|tonight| tonight.run_of(campaign));
    let runs = run.is_some_and(|start| start <= at + oracle.limits.tolerance);
    Verdict::of(!runs, false, "calls are placed by a run only, and there was none")
}

/// "If a list lacks more than `max_withdraw_rate` of the entries still to be called, and these are 20 or more, … it is
/// refused whole"; "3 list refused, nothing sent".
pub(super) fn a_refused_list_sends_nothing(oracle: &Oracle, campaign: Campaign, _: Instant) -> Verdict {
    let refused =
        campaign == Campaign::Recall && oracle.tonight.is_some_and(|tonight| tonight.recall_list == ListTaken::Refused);
    Verdict::of(refused, false, "a list that is refused is refused whole: nothing is sent")
}

/// "`pause` holds until `resume`, also over tonight's cron …, with `--until DATE`", a day that "counts to its end"; "a pause
/// belongs to the campaign".
pub(super) fn pause_holds(oracle: &Oracle, campaign: Campaign, at: Instant) -> Verdict {
    let today = PRACTICE.to_local(at).date();
    match oracle.pause {
        Pause::Until(None) if campaign == Campaign::Recall => {
            Forbidden("pause holds until resume, also over tonight's cron")
        }
        Pause::Until(Some(date)) if campaign == Campaign::Recall => {
            Verdict::of(today <= date, false, "pause --until DATE holds until the end of that date")
        }
        Pause::None | Pause::Until(_) => Free,
    }
}

// --- rules of the number ---------------------------------------------------------------------------------------------

/// "A number on the suppression list is not called by any campaign on the ledger"; "`--expires` ends it"; "a day counts to
/// its end"; "dates end in the practice's zone"; "`suppress remove` allows calls to it again".
pub(super) fn suppression(oracle: &Oracle, number: Number, at: Instant) -> Verdict {
    let today = PRACTICE.to_local(at).date();
    let suppressed = match oracle.lines.get(&number).and_then(|line| line.suppressed) {
        None => false,
        Some(expires) => expires.is_none_or(|last_day| today <= last_day),
    };
    Verdict::of(suppressed, false, "a number on the suppression list is not called by any campaign")
}

/// "`opt_out` suppresses the number at once, for all campaigns on the ledger, without an end."
pub(super) fn opt_out(oracle: &Oracle, number: Number, _: Instant) -> Verdict {
    let opted_out = oracle.lines.get(&number).is_some_and(|line| line.opted_out);
    Verdict::of(opted_out, false, "an opt-out suppresses the number at once, for all campaigns")
}

/// "No campaign on the ledger calls the number until a person has read what was said, whatever a later list says."
pub(super) fn doubt(oracle: &Oracle, number: Number, _: Instant) -> Verdict {
    let is_in_doubt = oracle.calls_to(number).any(|call| call.is_in_doubt);
    Verdict::of(is_in_doubt, false, "a number whose conversation is in doubt is not called before a person has read it")
}

/// "Least time between two attempts to a number: 24 hours", over all campaigns.
pub(super) fn daily_gap(oracle: &Oracle, number: Number, at: Instant) -> Verdict {
    oracle.cap(number, at, Duration::hours(24), 1, "a number is called at most once in 24 hours")
}

/// "Attempts to a number in rolling 7 days: 3", over all campaigns.
pub(super) fn weekly_cap(oracle: &Oracle, number: Number, at: Instant) -> Verdict {
    oracle.cap(number, at, Duration::days(7), 3, "a number is called at most three times in 7 days")
}

/// "Calls to a number in rolling 30 days: 6", over all campaigns.
pub(super) fn monthly_cap(oracle: &Oracle, number: Number, at: Instant) -> Verdict {
    oracle.cap(number, at, Duration::days(30), 6, "a number is called at most six times in 30 days")
}

/// "Consecutive failed attempts that start the cool-down: 3; cool-down, from the last of them: 30 days"; failed are
/// "`no_answer`, `busy`, `invalid_number`, `unclassified`"; "an attempt whose result is not known neither counts as failed
/// nor ends the count".
/// Open: whether the count starts again after a cool-down.
pub(super) fn cool_down(oracle: &Oracle, number: Number, at: Instant) -> Verdict {
    let mut failed = 0;
    let mut last = None;
    for call in oracle.calls_to(number).rev().filter(|call| call.fate == Fate::Placed) {
        let has_failed = matches!(
            call.result,
            CallResult::NoAnswer | CallResult::Busy | CallResult::InvalidNumber | CallResult::Unclassified
        );
        if !has_failed {
            break;
        }
        failed += 1;
        last = last.or(Some(call.at));
    }
    let Some(last) = last.filter(|_| failed >= 3) else { return Free };
    let (surely_over, over) = (Duration::days(30), Duration::days(30) + oracle.limits.longest_call + MARGIN);
    let rests = at + oracle.limits.tolerance < last + surely_over;
    let sentence = "after three failed attempts in a row a number rests for 30 days";
    Verdict::of(rests && matches!(failed, 3 | 6..), at < last + over, sentence)
}

/// "days mon–fri", "window 09:30-17:00, the practice's own hours, in its time zone"; "9–20 in every zone that may apply";
/// "nobody is called on a holiday where the called party may be".
pub(super) fn dialing_hours_are_kept(oracle: &Oracle, number: Number, at: Instant) -> Verdict {
    let tolerance = oracle.limits.tolerance;
    match dialing_hours(number, PRACTICE.to_local(at).date()) {
        None => Forbidden("nobody is called on weekends and holidays"),
        Some((opens, _)) if at + tolerance < opens => {
            Forbidden("nobody is called before the dialing hours of the practice and of the called party open")
        }
        Some((_, closes)) if at - tolerance > closes => {
            Forbidden("nobody is called after the dialing hours of the practice and of the called party close")
        }
        Some(_) => Free,
    }
}

// --- rules of the person ---------------------------------------------------------------------------------------------

/// "Withdrawn: entries missing from a newer list are no longer called" (recall); in a reminder "entries missing from the
/// next list are still called".
pub(super) fn withdrawn(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let gone = !person.on_the_list && oracle.rules(case.key).withdraws_absent;
    Verdict::of(gone, !person.on_the_list, "who is not on the newest list is withdrawn")
}

/// "Never call: future appointment on file (recall), inactive, deceased, …"; "a consent cell that says `no` always wins";
/// "consent is blank in a recall: held"; "a newer list that no longer says so brings the patient back".
pub(super) fn excluded_by_the_list(_: &Oracle, person: &Person, _: &Case) -> Verdict {
    person.row.excluded.map_or(Free, Forbidden)
}

/// "`cancel` cancels: what is open is followed, nobody is redialled"; "all patients of the campaign: none of them is called
/// again, by no later list or run"; "`cancel --undo` brings them back".
pub(super) fn cancelled(_: &Oracle, person: &Person, _: &Case) -> Verdict {
    Verdict::of(person.belongs_to_cancelled, false, "no later list or run calls a patient of a cancelled campaign")
}

/// "`resolve --cancel`: the patient is not called any more."
/// Open: the other members of the household, and what a later `cancel --undo` brings back.
pub(super) fn dropped(_: &Oracle, person: &Person, _: &Case) -> Verdict {
    Verdict::of(
        person.dropped == Certainty::Yes,
        person.dropped == Certainty::Perhaps,
        "a held entry that an operator has cancelled is not called any more",
    )
}

/// "Stop on contact": only the outcomes of `[redial] after` are followed by another call. "A household's decision (booked,
/// confirmed, wants another time, declined, wants a call back, opted out) speaks for all its members, also for one who is
/// later an entry of their own." "Outcome follows the person."
/// Open: for the other members of the household, an outcome that is no decision (`reached_other`, `deceased_or_moved`,
/// `unclassified`); for everybody of the household who was not in the call, the decision.
pub(super) fn settled_by_an_outcome(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let mut verdict = Free;
    for (call, certainty) in oracle.history(person, case) {
        if call.fate != Fate::Placed || oracle.leads_to_another_call(call) {
            continue;
        }
        let decision = matches!(
            call.result,
            CallResult::Booked
                | CallResult::Confirmed
                | CallResult::RescheduleRequested
                | CallResult::Declined
                | CallResult::CallbackRequested
                | CallResult::OptOut
        );
        if certainty == Certainty::Yes && (decision || call.addressed() == case.key) {
            return Forbidden(if decision {
                "a decision of the household settles everybody whom the call covered"
            } else {
                "only no_answer, busy and left_voicemail are followed by another call (no_answer and busy in a reminder)"
            });
        }
        verdict = Open;
    }
    verdict
}

/// "Absent after both scans: held by default"; "otherwise the entry is held until a person decides".
/// Open: the other members of the household, and a decision whose effect is open.
pub(super) fn held(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let mut verdict = Free;
    for call in person.calls.iter().map(|&call| &oracle.calls[call]) {
        match call.fate {
            Fate::Held if call.addressed() == case.key => {
                return Forbidden("after a lost answer the entry is held until a person decides");
            }
            Fate::Held | Fate::Unclear => verdict = Open,
            Fate::Placed | Fate::Refused | Fate::NotPlaced => {}
        }
    }
    verdict
}

/// "callrounds calls the best number that can be dialled…; after a `wrong_number` or an `invalid_number` the next number is
/// dialled." A number that the newest list does not have for the patient is not dialled for the patient.
/// Open: the other number, if the first one was refused or is suppressed, or if the other one is in use already when the
/// first one is corrected; the other number of a household member who was not the one addressed; who else is named in a
/// call to the other number of the one addressed.
pub(super) fn number_of_this_patient(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    if case.number == person.row.phone {
        return Free;
    }
    if person.row.other_phone == Some(case.number) {
        let mut verdict = Forbidden("the other number is dialled only after the first one proved wrong");
        for call in person.calls.iter().map(|&call| &oracle.calls[call]) {
            if call.number == case.number {
                verdict = Open;
            }
            if call.number != person.row.phone {
                continue;
            }
            match call.fate {
                Fate::Placed if call.is_wrong_number() && call.addressed() == case.key => return Free,
                Fate::Placed if call.is_wrong_number() => verdict = Open,
                Fate::Refused | Fate::Held | Fate::NotPlaced | Fate::Unclear => verdict = Open,
                Fate::Placed => {}
            }
        }
        let first = person.row.phone;
        let rules: [NumberRule; 3] = [suppression, opt_out, doubt];
        if rules.iter().any(|rule| !rule(oracle, first, case.at).is_free()) {
            verdict = Open;
        }
        return verdict;
    }
    let addressed = oracle.people.get(&case.addressed);
    if case.addressed != case.key && addressed.is_some_and(|other| other.row.other_phone == Some(case.number)) {
        return Open;
    }
    Forbidden("the newest list does not have this number for this patient")
}

/// "After `wrong_number` or `invalid_number` a new number on the list is dialled": not the wrong one again.
/// Open: a number that proved wrong for somebody else, or in the other campaign.
pub(super) fn not_again_to_a_wrong_number(oracle: &Oracle, _: &Person, case: &Case) -> Verdict {
    let mut verdict = Free;
    for call in oracle.calls_to(case.number).filter(|call| call.fate == Fate::Placed && call.is_wrong_number()) {
        if call.who.contains(&case.key) {
            return Forbidden("a number that proved wrong for the patient is not dialled again");
        }
        verdict = Open;
    }
    verdict
}

/// "`failed`: the vendor refused this call for good"; "a corrected number also reopens `failed`".
/// Open: the other members of the household, other households on the number, the other campaign; a refused number that is
/// the next one after a third number proved wrong.
pub(super) fn not_again_after_a_refusal(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let mut verdict = Free;
    let last_number = person.calls.last().map(|&call| oracle.calls[call].number);
    for call in oracle.calls_to(case.number).filter(|call| call.fate == Fate::Refused) {
        if call.addressed() == case.key && last_number == Some(case.number) {
            return Forbidden("the vendor refused this number for the patient for good");
        }
        verdict = Open;
    }
    verdict
}

/// "`max_attempts`: calls in all, the first one included: 3"; "gap, attempts and outcome follow the person and the number".
/// Open: calls to the number in which the household was called without this patient; a call that covered the patient and
/// counted until an operator declared that it was not placed.
pub(super) fn attempts(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let most = oracle.rules(case.key).max_attempts;
    let (mut surely, mut perhaps) = (0, 0);
    for (call, certainty) in oracle.history(person, case) {
        match (call.fate, certainty) {
            (Fate::Placed, Certainty::Yes) => surely += 1,
            (Fate::NotPlaced, Certainty::Yes) if call.addressed() != case.key => perhaps += 1,
            (Fate::Refused | Fate::NotPlaced, _) => {}
            _ => perhaps += 1,
        }
    }
    Verdict::of(
        surely >= most,
        surely + perhaps >= most,
        "a patient is called three times in all (twice for a reminder)",
    )
}

/// "`min_gap`: least time between two calls to one patient: 72 h"; "72 h stay 72 h"; "after `wrong_number` or
/// `invalid_number` … the gap does not apply".
/// Open: whether it counts from the start or the end of the call; calls to the number in which the household was called
/// without this patient.
pub(super) fn redial_gap(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let gap = oracle.rules(case.key).min_gap;
    let mut verdict = Free;
    for (call, certainty) in oracle.history(person, case) {
        if matches!(call.fate, Fate::Refused | Fate::NotPlaced) || call.is_wrong_number() {
            continue;
        }
        let sure = certainty == Certainty::Yes && call.fate == Fate::Placed;
        if sure && case.at + oracle.limits.tolerance < call.at + gap {
            return Forbidden("two calls to one patient are 72 h apart (24 h in a reminder)");
        }
        if case.at < call.at + gap + oracle.limits.longest_call + MARGIN {
            verdict = Open;
        }
    }
    verdict
}

/// "`vary_time`: at another part of the day than the last call: until 12, until 17, evening, by the practice's clock"; it
/// "does not apply if the other part of the day … does not come within five days".
/// Open: whether the five days count from the call or from the end of the gap; a new number after a wrong one; members of
/// a household who were last called at different parts of the day.
pub(super) fn another_part_of_the_day(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let rules = oracle.rules(case.key);
    if !rules.vary_time {
        return Free;
    }
    let counts = |call: &PastCall| !matches!(call.fate, Fate::Refused | Fate::NotPlaced);
    let is_sure = |call: &PastCall, certainty| {
        certainty == Certainty::Yes && call.fate == Fate::Placed && !call.is_wrong_number()
    };
    let sure = oracle.history(person, case).filter(|&(call, certainty)| is_sure(call, certainty));
    let last = sure.map(|(call, _)| call).max_by_key(|call| call.at);
    let later = oracle
        .history(person, case)
        .map(|(call, _)| call)
        .filter(|call| counts(call) && last.is_none_or(|last| last.at < call.at));
    let (mut is_last, mut verdict) = (true, Free);
    for call in later {
        is_last = false;
        if part_of_day(call.at) == part_of_day(case.at) {
            verdict = Open;
        }
    }
    let Some(last) = last else { return verdict };
    let near_noon = part_of_day(case.at + oracle.limits.tolerance) != part_of_day(case.at - oracle.limits.tolerance);
    if part_of_day(last.at) != part_of_day(case.at) || near_noon {
        return verdict;
    }
    if !is_last || case.addressed != case.key {
        return Open;
    }
    let free_from = last.at + rules.min_gap + oracle.limits.longest_call + MARGIN;
    match oracle.next_other_part(case.number, free_from, last.at) {
        Some(comes) if comes <= last.at + Duration::days(5) => {
            Forbidden("a redial is placed at another part of the day than the last call")
        }
        _ => Open,
    }
}

/// "`stop_before_appointment`: no call later than this before the appointment: 2 h" (reminder).
pub(super) fn before_the_appointment(oracle: &Oracle, person: &Person, case: &Case) -> Verdict {
    let stop = oracle.rules(case.key).stop_before_appointment.unwrap_or(Duration::zero());
    let late = |by: Duration| person.row.appointment.is_some_and(|start| case.at - by > start - stop);
    Verdict::of(
        late(oracle.limits.tolerance),
        late(-MARGIN),
        "no reminder is placed in the two hours before the appointment",
    )
}

/// "Patients on one number are one household by … same number and last name, guarantor or household id … one call." Others
/// on the number are called separately.
/// Open: whether people are one household who are connected only through a third person.
pub(super) fn one_household(oracle: &Oracle, call: &Call) -> Verdict {
    let Some(addressed) = oracle.people.get(&call.who[0]) else { return Open };
    if !addressed.on_the_list || addressed.row.phone != call.number {
        return Open;
    }
    let stranger = call.who.iter().any(|key| !addressed.kin.contains(key));
    Verdict::of(stranger, false, "patients who share a number but neither a name nor a guarantor do not share a call")
}

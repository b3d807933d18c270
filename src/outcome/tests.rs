//! What kinds of sentences mean, in each language.

use super::OutcomeRules;
use crate::entry::{Doubt, Outcome, OutcomeSignals};

fn taken_for(summary: &str) -> (Outcome, Option<Doubt>) {
    let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
    let taken_for = rules.classify(&OutcomeSignals { summary: Some(summary.to_owned()), ..OutcomeSignals::default() });
    (taken_for.outcome, taken_for.doubt)
}

#[test]
fn a_certain_opt_out_is_one_in_each_language() {
    for summary in [
        "The patient asked not to be called again.",
        "She asked us to stop calling.",
        "He does not want any more calls.",
        "Nobody is to ring her again.",
        "His phone should never ring on our account again.",
        "La paciente pidió que no la llamen más.",
        "Pidió que dejemos de llamar.",
        "La patiente ne veut plus être appelée.",
        "A demandé à être retiré de la liste d'appels.",
    ] {
        assert_eq!(taken_for(summary), (Outcome::OptOut, None), "{summary}");
    }
}

#[test]
fn what_only_sounds_like_an_opt_out_suppresses_nobody() {
    for (summary, outcome) in [
        ("Please do not call before 9. Confirmed Tuesday at 10.", Outcome::Confirmed),
        ("Opted out of fluoride, and booked a cleaning for Friday at 3.", Outcome::Booked),
        ("She quit smoking. Confirmed the appointment on Monday.", Outcome::Confirmed),
        ("He does not mind being called, and booked a cleaning for Monday at 9.", Outcome::Booked),
        ("Asked not to be called at work; call back at 5.", Outcome::CallbackRequested),
        ("Pidió que no lo llamen por la mañana; que llamen a las 5.", Outcome::CallbackRequested),
    ] {
        assert_eq!(taken_for(summary), (outcome, None), "{summary}");
    }
    let (outcome, doubt) = taken_for("Demande de ne pas appeler avant 9 h.");
    assert!(outcome != Outcome::OptOut && doubt.is_none());
}

#[test]
fn what_may_be_an_opt_out_or_a_death_is_put_to_a_person() {
    for (summary, doubt) in [
        ("Said something like \"no more\" and hung up.", Doubt::PossibleOptOut),
        ("She asked how to opt out. The line dropped.", Doubt::PossibleOptOut),
        ("Preguntó cómo darse de baja y colgó.", Doubt::PossibleOptOut),
        ("A demandé comment se désinscrire.", Doubt::PossibleOptOut),
        ("Patient booked for Tuesday but asked to be removed from the call list.", Doubt::PossibleOptOut),
        ("This must be the last time that the office phones her.", Doubt::PossibleOptOut),
        ("Exigió que esta fuera la última llamada.", Doubt::PossibleOptOut),
        ("Ne veut plus voir notre numéro s'afficher.", Doubt::PossibleOptOut),
        ("A woman started to cry and said we lost him.", Doubt::PossiblyDeceased),
        ("Her son pointed to the obituary.", Doubt::PossiblyDeceased),
        ("La esquela salió la semana pasada, dijo el hermano.", Doubt::PossiblyDeceased),
        ("Les obsèques de la patiente ont eu lieu vendredi.", Doubt::PossiblyDeceased),
        ("You have reached the family of the late Robert Hale. Left a message.", Doubt::PossiblyDeceased),
        ("The greeting said this is the estate of Maria Lopez. Left a message.", Doubt::PossiblyDeceased),
    ] {
        assert_eq!(taken_for(summary).1, Some(doubt), "{summary}");
    }
}

#[test]
fn a_death_is_the_patients_or_none() {
    assert_eq!(taken_for("His wife said that the patient died in May."), (Outcome::DeceasedOrMoved, None));
    assert_eq!(taken_for("Her phone died. She will be there on Monday at 9."), (Outcome::Confirmed, None));
}

#[test]
fn a_negation_takes_an_outcome_back() {
    assert_ne!(taken_for("The patient did not book an appointment.").0, Outcome::Booked);
    assert_ne!(taken_for("The appointment could not be confirmed.").0, Outcome::Confirmed);
    assert_ne!(taken_for("It was not a wrong number.").0, Outcome::WrongNumber);
    assert_eq!(taken_for("").0, Outcome::Unclassified);
}

#[test]
fn the_rules_name_says_where_and_never_what_was_said() {
    let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
    let summary = Some("Call with Zebulon. He asked not to be called again.".to_owned());
    let rule = rules.classify(&OutcomeSignals { summary, ..OutcomeSignals::default() }).rule.expect("a rule");
    assert_eq!(rule.as_str(), "built-in: asked not to be called (summary, sentence 2)");
}

/// What the built-in rules take a conversation with one tag and this summary for.
fn tagged(tag: &str, summary: &str) -> (Outcome, Option<Doubt>) {
    let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
    let summary = Some(summary.to_owned()).filter(|summary| !summary.is_empty());
    let taken_for = rules.classify(&OutcomeSignals { tags: vec![tag.into()], summary, ..OutcomeSignals::default() });
    (taken_for.outcome, taken_for.doubt)
}

#[test]
fn a_tag_that_often_means_something_else_suppresses_nobody_for_good() {
    for (tag, summary) in [
        ("No Contact", "No answer after several rings."),
        ("no-contact", ""),
        ("Call Result: No Contact", "Rang out."),
        ("end_reason:stop", ""),
        ("no call", "The line was busy."),
    ] {
        assert_ne!(tagged(tag, summary).0, Outcome::OptOut, "{tag}: {summary}");
    }
    assert_ne!(taken_for("Call marked as no contact.").0, Outcome::OptOut);
}

#[test]
fn a_denied_permission_is_put_to_a_person_and_a_denied_opt_out_is_none() {
    for tag in ["ok_to_call=false", "can_call: no", "consent: no", "Future calls: none", "opt_out: pending"] {
        assert_eq!(tagged(tag, "").1, Some(Doubt::PossibleOptOut), "{tag}");
    }
    for tag in ["opt_out=false", "dnc: no", "booked: pending", "ok_to_call=true"] {
        assert_ne!(tagged(tag, "").0, Outcome::OptOut, "{tag}");
    }
    assert_eq!(tagged("opt_out=false", "").1, None);
}

#[test]
fn a_tag_that_leaves_it_open_or_that_another_field_contradicts_is_read_by_a_person() {
    for (tag, summary) in [
        ("possible_optout", ""),
        ("DNC?", ""),
        ("dnc:suspected", "She was loud and hung up."),
        ("possibly-deceased", ""),
        ("DNC", "No answer after eight rings."),
        ("DNC", "Booked a cleaning for Friday at 3."),
    ] {
        let (outcome, doubt) = tagged(tag, summary);
        assert!(outcome != Outcome::OptOut && doubt.is_some(), "{tag}: {summary}");
    }
}

#[test]
fn a_known_tag_of_an_opt_out_is_one_with_a_summary_that_says_nothing() {
    for tag in
        ["opt-out", "Do Not Call", "outcome:dnc", "optOut=true", "opt-out=true", "no llamar más", "ne plus appeler"]
    {
        for summary in ["", "The call lasted two minutes.", "La paciente fue amable.", "Le patient a raccroché."] {
            assert_eq!(tagged(tag, summary), (Outcome::OptOut, None), "{tag}: {summary}");
        }
    }
}

#[test]
fn a_tag_that_says_it_for_certain_is_read_by_a_person_whatever_else_is_said() {
    assert_eq!(tagged("dnc", "Please do not call before nine. Confirmed Tuesday.").1, Some(Doubt::PossibleOptOut));
}

#[test]
fn a_text_of_any_length_is_read_in_time_and_what_is_left_out_is_said() {
    let word = "a".repeat(3_000_000);
    assert_eq!(taken_for(&word).1, Some(Doubt::PossibleOptOut));
    let late = format!("{} The patient asked not to be called again.", "Small talk. ".repeat(200_000));
    let late = OutcomeSignals { summary: Some(late), ..OutcomeSignals::default() };
    let rules = OutcomeRules { own: Vec::new(), has_built_in: true };
    let rule = rules.classify(&late).rule.expect("a rule");
    assert!(rule.as_str().starts_with("built-in: asked not to be called (summary"), "{rule}");
    let many = OutcomeSignals { tags: vec!["general".into(); 100_000], ..OutcomeSignals::default() };
    assert!(rules.classify(&many).doubt.is_some());
}

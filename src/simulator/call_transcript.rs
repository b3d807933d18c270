//! What a closed conversation tells about its call: tags, topic, summary, actions, and what the callee says.
//!
//! The contract has no outcome field (`annie-api.md`), so a client has only this to conclude the outcome from.

use super::people::Behaviour;

/// The fields of a closed conversation that tell how the call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTranscript {
    /// `conversationTags`.
    pub tags: &'static [&'static str],
    /// `topic`.
    pub topic: &'static str,
    /// `summary`.
    pub summary: &'static str,
    /// `actionsNeeded`.
    pub actions: &'static [&'static str],
    /// What the callee says, if a person speaks.
    pub callee_says: Option<&'static str>,
}

/// The result of a call that was ended through `POST /conversations/{id}/close`.
pub(super) const CLOSED_EARLY: CallTranscript = CallTranscript {
    tags: &["closed-by-request"],
    topic: "Call ended",
    summary: "The call was closed by request before it came to an end.",
    actions: &[],
    callee_says: None,
};

/// The result of a call that the callee took with `behaviour`.
#[must_use]
pub fn transcript(behaviour: Behaviour) -> CallTranscript {
    let result = |tags, topic, summary| CallTranscript { tags, topic, summary, actions: &[], callee_says: None };
    match behaviour {
        Behaviour::Books => CallTranscript {
            callee_says: Some("Yes, next Tuesday morning would be good."),
            ..result(&["appointment-booked"], "Appointment booking", "The patient booked an appointment.")
        },
        Behaviour::Confirms => CallTranscript {
            callee_says: Some("Yes, I will be there."),
            ..result(&["appointment-confirmed"], "Appointment confirmation", "The patient confirmed the appointment.")
        },
        Behaviour::Reschedules => CallTranscript {
            actions: &["Offer the patient another time"],
            callee_says: Some("I cannot make it that day. Is there anything the week after?"),
            ..result(&["reschedule-requested"], "Reschedule", "The patient asked for another time.")
        },
        Behaviour::Declines => CallTranscript {
            callee_says: Some("No, thank you, not at the moment."),
            ..result(&["declined"], "Appointment booking", "The patient does not want an appointment at the moment.")
        },
        Behaviour::AsksCallback => CallTranscript {
            actions: &["Call the patient back"],
            callee_says: Some("Could somebody from the office call me?"),
            ..result(&["callback-requested"], "Callback request", "The patient would like the office to call.")
        },
        Behaviour::OptsOut => CallTranscript {
            actions: &["Remove the number from outbound calls"],
            callee_says: Some("Please do not call me again."),
            ..result(&["opt-out"], "Opt-out", "The person asked not to be called again.")
        },
        Behaviour::Voicemail => {
            result(&["left-voicemail"], "Voicemail", "The call went to voicemail and a message was left.")
        }
        Behaviour::NoAnswer => result(&["no-answer"], "No answer", "Nobody answered."),
        Behaviour::Busy => result(&["busy"], "Busy", "The line was busy."),
        Behaviour::WrongNumber => CallTranscript {
            actions: &["Check the phone number"],
            callee_says: Some("There is nobody of that name here."),
            ..result(&["wrong-number"], "Wrong number", "The number belongs to somebody else.")
        },
        Behaviour::DeceasedOrMoved => CallTranscript {
            actions: &["Update the patient's record"],
            callee_says: Some("They do not live here any more."),
            ..result(&["deceased-or-moved"], "Patient record", "The patient is no longer at this number.")
        },
        Behaviour::InvalidNumber => CallTranscript {
            actions: &["Check the phone number"],
            ..result(&["invalid-number"], "Invalid number", "The number is not in service.")
        },
        Behaviour::ReachedOther => CallTranscript {
            callee_says: Some("They are out. I can tell them that you called."),
            ..result(&["reached-other"], "Message taken", "Somebody else of the household answered.")
        },
        Behaviour::Unclassifiable => CallTranscript {
            callee_says: Some("Hm."),
            ..result(&["general"], "General", "The conversation was unclear.")
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_has_its_own_tag() {
        let mut tags: Vec<_> = Behaviour::ALL.iter().flat_map(|behaviour| transcript(*behaviour).tags).collect();
        tags.sort_unstable();
        let known = [
            "appointment-booked",
            "appointment-confirmed",
            "busy",
            "callback-requested",
            "deceased-or-moved",
            "declined",
            "general",
            "invalid-number",
            "left-voicemail",
            "no-answer",
            "opt-out",
            "reached-other",
            "reschedule-requested",
            "wrong-number",
        ];
        assert_eq!(tags, known.iter().collect::<Vec<_>>());
    }

    #[test]
    fn nobody_speaks_where_nobody_answers() {
        for behaviour in [Behaviour::NoAnswer, Behaviour::Busy, Behaviour::InvalidNumber, Behaviour::Voicemail] {
            assert_eq!(transcript(behaviour).callee_says, None, "{behaviour:?}");
        }
    }
}

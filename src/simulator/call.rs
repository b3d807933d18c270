//! The body of a `POST /calls` or `POST /sms`, and its validation (`annie-api.md`, POST /calls and SMS).

use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;

use crate::phone::E164;

use super::medium::SimulatedMedium;
use super::rules::CallRefusal;

/// The most Unicode scalar values in `context` and in `voicemailMessage`.
pub const LONGEST_TEXT: usize = 500;
/// The most Unicode scalar values in a first or last name.
pub const LONGEST_NAME: usize = 100;

/// The body of `POST /calls`, not validated yet. Fields that the contract does not have are ignored.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlaceCall {
    /// The caller id: an Annie number, in E.164. Required.
    pub from_number: String,
    /// The number to dial, in E.164. Required.
    pub to_number: String,
    /// The patient.
    pub patient_info: Option<PatientInfoBody>,
    /// The appointment that the call is about. With one, people confirm or reschedule instead of booking.
    pub appointment_info: Option<AppointmentInfoBody>,
    /// Extra context for the bot on this call; at most [`LONGEST_TEXT`].
    pub context: Option<String>,
    /// The message for voicemail; at most [`LONGEST_TEXT`].
    pub voicemail_message: Option<String>,
}

/// `patientInfo`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PatientInfoBody {
    /// At most [`LONGEST_NAME`].
    pub first_name: Option<String>,
    /// At most [`LONGEST_NAME`].
    pub last_name: Option<String>,
    /// `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    /// The practice's own id.
    pub patient_id: Option<String>,
}

/// `appointmentInfo`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppointmentInfoBody {
    /// ISO 8601 with offset.
    pub start_time: Option<String>,
    /// ISO 8601 with offset.
    pub end_time: Option<String>,
    /// The practice's own id of the type.
    pub appointment_type_id: Option<String>,
    /// A description in words.
    pub appointment_description: Option<String>,
    /// The practice's own id of the appointment.
    pub appointment_id: Option<String>,
}

/// The body of `POST /sms`: that of a call, where `voicemailMessage` has no effect, and the first message.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PlaceSms {
    /// The numbers, the patient and the appointment.
    #[serde(flatten)]
    pub call: PlaceCall,
    /// The first message, 1 to [`LONGEST_TEXT`]. Required.
    pub message: String,
}

impl fmt::Debug for PlaceSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaceSms(masked)")
    }
}

impl fmt::Debug for PlaceCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaceCall(masked)")
    }
}

/// The fields of a validated request that the simulator uses.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct CheckedCall {
    pub(super) from: E164,
    pub(super) to: E164,
    pub(super) patient_id: Option<String>,
    pub(super) appointment_id: Option<String>,
    pub(super) has_appointment: bool,
    pub(super) medium: SimulatedMedium,
}

/// A request that starts a conversation.
pub(super) trait StartRequest: Sized {
    /// Parses a request's body. The error never repeats the body.
    fn read(body: &[u8]) -> Result<Self, CallRefusal>;

    /// Validates every field in the contract's order; the error is about the first invalid one.
    fn check(&self) -> Result<CheckedCall, CallRefusal>;
}

const WRONG_SHAPE: CallRefusal = CallRefusal::Malformed("the body is not a JSON object of the documented shape");

impl StartRequest for PlaceCall {
    fn read(body: &[u8]) -> Result<Self, CallRefusal> {
        serde_json::from_slice(body).map_err(|_| WRONG_SHAPE)
    }

    fn check(&self) -> Result<CheckedCall, CallRefusal> {
        let from = number(&self.from_number, "fromNumber is not an E.164 number")?;
        let to = number(&self.to_number, "toNumber is not an E.164 number")?;
        self.patient_info.as_ref().map_or(Ok(()), PatientInfoBody::check)?;
        self.appointment_info.as_ref().map_or(Ok(()), AppointmentInfoBody::check)?;
        check_length(self.context.as_ref(), LONGEST_TEXT, "context is longer than 500 characters")?;
        check_length(self.voicemail_message.as_ref(), LONGEST_TEXT, "voicemailMessage is longer than 500 characters")?;
        Ok(CheckedCall {
            from,
            to,
            patient_id: self.patient_info.as_ref().and_then(|patient| patient.patient_id.clone()),
            appointment_id: self.appointment_info.as_ref().and_then(|visit| visit.appointment_id.clone()),
            has_appointment: self.appointment_info.is_some(),
            medium: SimulatedMedium::Voice,
        })
    }
}

impl StartRequest for PlaceSms {
    fn read(body: &[u8]) -> Result<Self, CallRefusal> {
        serde_json::from_slice(body).map_err(|_| WRONG_SHAPE)
    }

    fn check(&self) -> Result<CheckedCall, CallRefusal> {
        let call = self.call.check()?;
        let fits = (1..=LONGEST_TEXT).contains(&self.message.chars().count());
        fits.then_some(CheckedCall { medium: SimulatedMedium::Sms, ..call })
            .ok_or(CallRefusal::Malformed("message is missing or longer than 500 characters"))
    }
}

impl PatientInfoBody {
    fn check(&self) -> Result<(), CallRefusal> {
        check_length(self.first_name.as_ref(), LONGEST_NAME, "patientInfo.firstName is longer than 100 characters")?;
        check_length(self.last_name.as_ref(), LONGEST_NAME, "patientInfo.lastName is longer than 100 characters")?;
        let good = self.date_of_birth.as_deref().is_none_or(is_date);
        good.then_some(()).ok_or(CallRefusal::Malformed("patientInfo.dateOfBirth is not a date in the form YYYY-MM-DD"))
    }
}

impl AppointmentInfoBody {
    fn check(&self) -> Result<(), CallRefusal> {
        instant(self.start_time.as_ref(), "appointmentInfo.startTime is not an ISO 8601 time with an offset")?;
        instant(self.end_time.as_ref(), "appointmentInfo.endTime is not an ISO 8601 time with an offset")
    }
}

fn number(text: &str, message: &'static str) -> Result<E164, CallRefusal> {
    E164::parse(text).map_err(|_| CallRefusal::Malformed(message))
}

fn check_length(text: Option<&String>, limit: usize, message: &'static str) -> Result<(), CallRefusal> {
    let fits = text.is_none_or(|text| text.chars().count() <= limit);
    fits.then_some(()).ok_or(CallRefusal::Malformed(message))
}

fn instant(text: Option<&String>, message: &'static str) -> Result<(), CallRefusal> {
    let good = text.is_none_or(|text| DateTime::parse_from_rfc3339(text).is_ok());
    good.then_some(()).ok_or(CallRefusal::Malformed(message))
}

/// `YYYY-MM-DD`. chrono alone would also accept `1988-3-2`.
fn is_date(text: &str) -> bool {
    text.len() == "YYYY-MM-DD".len() && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "fromNumber": "+13125550142", "toNumber": "+13125550101",
        "patientInfo": {"firstName": "Zoë", "lastName": null, "dateOfBirth": "1988-03-22", "patientId": "P-1001"},
        "appointmentInfo": {"startTime": "2026-11-25T09:00:00-06:00", "appointmentId": "A-7"},
        "somethingNew": [1, 2]
    }"#;

    fn refused(body: &str) -> &'static str {
        let read = PlaceCall::read(body.as_bytes()).and_then(|call| call.check().map(|_| call));
        let Err(CallRefusal::Malformed(what)) = read else { panic!("not malformed: {read:?}") };
        what
    }

    fn with(from: &str, to: &str) -> String {
        let changed = GOOD.replace(from, to);
        assert_ne!(changed, GOOD, "the case changes nothing");
        changed
    }

    #[test]
    fn a_good_call_keeps_its_ids_and_nothing_about_the_patient() {
        let call = PlaceCall::read(GOOD.as_bytes()).expect("a call").check().expect("well-formed");
        assert_eq!(call.patient_id.as_deref(), Some("P-1001"));
        assert_eq!(call.appointment_id.as_deref(), Some("A-7"));
        assert!(call.has_appointment);
    }

    #[test]
    fn every_malformed_field_is_named() {
        let cases = [
            ("not json".to_string(), "the body is not a JSON object of the documented shape"),
            (with("\"+13125550142\"", "13125550142"), "the body is not a JSON object of the documented shape"),
            (with("+13125550142", "3125550142"), "fromNumber is not an E.164 number"),
            (with("toNumber", "to"), "toNumber is not an E.164 number"),
            (with("Zoë", &"ë".repeat(101)), "patientInfo.firstName is longer than 100 characters"),
            (with("null", &format!("{:?}", "x".repeat(101))), "patientInfo.lastName is longer than 100 characters"),
            (with("1988-03-22", "1988-3-22"), "patientInfo.dateOfBirth is not a date in the form YYYY-MM-DD"),
            (with("1988-03-22", "1988-02-30"), "patientInfo.dateOfBirth is not a date in the form YYYY-MM-DD"),
            (with("09:00:00-06:00", "09:00:00"), "appointmentInfo.startTime is not an ISO 8601 time with an offset"),
        ];
        for (body, expected) in cases {
            assert_eq!(refused(&body), expected);
        }
    }

    #[test]
    fn texts_are_counted_in_characters_and_not_in_bytes() {
        let call = |length: usize| PlaceCall {
            from_number: "+13125550142".into(),
            to_number: "+13125550101".into(),
            context: Some("é".repeat(length)),
            ..PlaceCall::default()
        };
        assert!(call(500).check().is_ok());
        assert!(call(501).check().is_err());
        let voicemail = PlaceCall { context: None, voicemail_message: Some("é".repeat(501)), ..call(1) };
        assert!(voicemail.check().is_err());
    }

    #[test]
    fn a_text_needs_a_message_of_a_good_length() {
        let check = |message: &str| {
            let text = GOOD.replace("\"somethingNew\": [1, 2]", &format!("\"message\": {message:?}"));
            PlaceSms::read(text.as_bytes()).and_then(|text| text.check()).map(|checked| checked.medium)
        };
        assert_eq!(check("Hello."), Ok(SimulatedMedium::Sms));
        for message in [String::new(), "é".repeat(501)] {
            assert_eq!(
                check(&message),
                Err(CallRefusal::Malformed("message is missing or longer than 500 characters"))
            );
        }
    }

    #[test]
    fn a_call_is_masked_when_debugged() {
        let call = PlaceCall::read(GOOD.as_bytes()).expect("a call");
        assert_eq!(format!("{call:?}"), "PlaceCall(masked)");
    }
}

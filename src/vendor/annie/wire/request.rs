//! Request bodies.

use chrono::{DateTime, FixedOffset, NaiveDate};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::entry::{Appointment, PatientInfo};
use crate::vendor::CallRequest;

/// The longest `firstName` and `lastName` that the vendor accepts, in characters.
const MAX_NAME_CHARS: usize = 100;

/// The body of `POST /calls`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallBody<'a> {
    from_number: String,
    to_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient_info: Option<PatientBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment_info: Option<AppointmentBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voicemail_message: Option<&'a str>,
}

#[derive(Serialize, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
struct PatientBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_of_birth: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient_id: Option<&'a str>,
}

#[derive(Serialize, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
struct AppointmentBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<DateTime<FixedOffset>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<DateTime<FixedOffset>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment_type_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment_description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appointment_id: Option<&'a str>,
}

/// The body of the token request (`annie-api.md`, Basics).
#[derive(Serialize)]
struct TokenBody<'a> {
    grant_type: &'static str,
    client_id: &'a str,
    client_secret: &'a str,
    audience: &'a str,
}

/// The JSON body of `POST /calls` for `call`.
#[must_use]
pub fn call_body(call: &CallRequest) -> Vec<u8> {
    let content = &call.content;
    to_json(&CallBody {
        from_number: call.from.expose(),
        to_number: call.to.expose(),
        patient_info: not_empty(patient_body(&content.patient)),
        appointment_info: content.appointment.as_ref().map(appointment_body).and_then(not_empty),
        context: not_blank(content.context.as_ref()),
        voicemail_message: not_blank(content.voicemail.as_ref()),
    })
}

/// The JSON body of the request for an OAuth token.
#[must_use]
pub fn token_body(id: &str, secret: &SecretString, audience: &str) -> Vec<u8> {
    to_json(&TokenBody {
        grant_type: "client_credentials",
        client_id: id,
        client_secret: secret.expose_secret(),
        audience,
    })
}

fn to_json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("texts, dates and options always have a JSON form")
}

fn patient_body(patient: &PatientInfo) -> PatientBody<'_> {
    PatientBody {
        first_name: not_blank(Some(&patient.first_name)).map(truncated),
        last_name: not_blank(patient.last_name.as_ref()).map(truncated),
        date_of_birth: patient.date_of_birth,
        patient_id: not_blank(patient.patient_id.as_ref()),
    }
}

fn appointment_body(appointment: &Appointment) -> AppointmentBody<'_> {
    AppointmentBody {
        start_time: appointment.start,
        end_time: appointment.end,
        appointment_type_id: not_blank(appointment.type_id.as_ref()),
        appointment_description: not_blank(appointment.description.as_ref()),
        appointment_id: not_blank(appointment.id.as_ref()),
    }
}

/// Omits an object without a value.
fn not_empty<T: PartialEq + Default>(body: T) -> Option<T> {
    (body != T::default()).then_some(body)
}

/// Omits a blank text.
fn not_blank(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.trim().is_empty())
}

/// The name, truncated to the vendor's limit: a last guard, since the intake checks names too. How the vendor counts is
/// not documented, so the strictest usual count (UTF-16 units) applies.
fn truncated(name: &str) -> &str {
    let mut units = 0;
    let end = name.char_indices().find_map(|(at, character)| {
        units += character.len_utf16();
        (units > MAX_NAME_CHARS).then_some(at)
    });
    &name[..end.unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::entry::CallContent;
    use crate::phone::E164;

    fn body(content: CallContent) -> Value {
        let number = |text| E164::parse(text).expect("a good number");
        let call = CallRequest { from: number("+13125550142"), to: number("+13125550143"), content };
        serde_json::from_slice(&call_body(&call)).expect("valid JSON")
    }

    fn patient(first: &str, last: Option<&str>) -> PatientInfo {
        PatientInfo { first_name: first.to_owned(), last_name: last.map(str::to_owned), ..PatientInfo::default() }
    }

    #[test]
    fn a_full_call_has_every_field_of_the_contract() {
        let content = CallContent {
            patient: PatientInfo {
                date_of_birth: NaiveDate::from_ymd_opt(1984, 2, 9),
                patient_id: Some("P-1".to_owned()),
                ..patient("Zoë", Some("O'Neil"))
            },
            appointment: Some(Appointment {
                id: Some("A-1".to_owned()),
                start: Some("2026-11-24T09:00:00-06:00".parse().expect("an instant")),
                end: Some("2026-11-24T09:30:00-06:00".parse().expect("an instant")),
                type_id: Some("T-1".to_owned()),
                description: Some("Cleaning".to_owned()),
            }),
            context: Some("Prefers mornings.".to_owned()),
            voicemail: Some("Please call us back.".to_owned()),
            alone: None,
        };
        assert_eq!(
            body(content),
            json!({
                "fromNumber": "+13125550142",
                "toNumber": "+13125550143",
                "patientInfo": {
                    "firstName": "Zoë", "lastName": "O'Neil", "dateOfBirth": "1984-02-09", "patientId": "P-1"
                },
                "appointmentInfo": {
                    "startTime": "2026-11-24T09:00:00-06:00",
                    "endTime": "2026-11-24T09:30:00-06:00",
                    "appointmentTypeId": "T-1",
                    "appointmentDescription": "Cleaning",
                    "appointmentId": "A-1"
                },
                "context": "Prefers mornings.",
                "voicemailMessage": "Please call us back."
            })
        );
    }

    #[test]
    fn absent_and_blank_values_are_omitted() {
        let blank = CallContent {
            patient: patient("", Some("  ")),
            appointment: Some(Appointment::default()),
            context: Some(String::new()),
            ..CallContent::default()
        };
        assert_eq!(body(blank), json!({ "fromNumber": "+13125550142", "toNumber": "+13125550143" }));
    }

    #[test]
    fn a_long_name_is_truncated_between_characters() {
        for (name, kept) in [("é".repeat(101), "é".repeat(100)), ("🦷".repeat(60), "🦷".repeat(50))] {
            let sent = body(CallContent { patient: patient(&name, Some(&name)), ..CallContent::default() });
            assert_eq!(sent["patientInfo"], json!({ "firstName": kept, "lastName": kept }));
        }
    }

    #[test]
    fn a_token_request_matches_the_contract() {
        let secret = SecretString::from("s3cret");
        let sent: Value =
            serde_json::from_slice(&token_body("me", &secret, "https://api.helloannie.com")).expect("JSON");
        assert_eq!(
            sent,
            json!({
                "grant_type": "client_credentials",
                "client_id": "me",
                "client_secret": "s3cret",
                "audience": "https://api.helloannie.com"
            })
        );
    }
}

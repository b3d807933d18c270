//! The fields of a list row, and the column names by which they are recognised.

use std::fmt;

macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: $aliases:literal),* $(,)?) => {
        /// A field of a list row (`lists.md`, Fields).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Field {
            /// All fields.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The field's name in campaign files, templates, reasons and JSON lists.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the field's cells contain; shown in the JSON Schema.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)* }
            }

            /// The recognised column names, in the form of [`normalized`], separated by spaces.
            fn aliases(self) -> &'static str {
                match self { $(Self::$variant => $aliases,)* }
            }
        }
    };
}

fields! {
    /// The practice's own number for the patient.
    PatientId = "patient_id": "patientid patnum patient chart chartnumber chartno account acct mrn foreignid externalid id",
    /// The legal first name, by which the patient is identified.
    FirstName = "first_name": "firstname fname first givenname patientfirstname",
    /// The name by which the call addresses the patient.
    PreferredName = "preferred_name": "preferred preferredname nickname goesby",
    /// The last name.
    LastName = "last_name": "lastname lname last surname familyname patientlastname",
    /// Both names in one cell, as `Last, First M.` or `First Last`.
    FullName = "full_name": "name patientname fullname",
    /// The date of birth.
    DateOfBirth = "date_of_birth": "dob birthdate birthday dateofbirth birth biodateofbirth",
    /// The mobile number: the best one to call.
    MobilePhone = "mobile": "mobile mobilephone cell cellphone wireless wirelessphone cellphonenumber mobilephonenumber biocellphonenumber",
    /// The number to call.
    Phone = "phone": "phone phone1 phonenumber telephone primaryphone preferredphone contact contactnumber biophonenumber",
    /// The home number.
    HomePhone = "home_phone": "home homephone hmphone homephonenumber biohomephonenumber",
    /// The work number.
    WorkPhone = "work_phone": "work workphone wkphone workphonenumber bioworkphonenumber",
    /// Another number.
    OtherPhone = "other_phone": "otherphone phone2",
    /// What all members of a household share: a guarantor's or household's number.
    Household = "household_id": "guarantor guarantorid responsibleparty respparty resppartyid headofhouse headofhousehold hoh familyid householdid responsiblepartyid",
    /// The next appointment on file, or `+` for one whose date is not given.
    NextAppointment = "next_appointment": "nextappt nextappointment nextvisit datescheduled appt appointmentdate scheduleddate",
    /// When the patient is due for a visit.
    Due = "due": "due duedate datedue recalldate recalldue ccdate nextrecall",
    /// The last visit.
    LastVisit = "last_visit": "lastvisit lastappt priortreat dateprevious lastseen",
    /// The recall interval, as text.
    Interval = "interval": "recallinterval interval",
    /// The kind of recall, as text.
    Type = "type": "recalltype cctype type recalltypename",
    /// The patient's status; `inactive`, `archived`, `deceased` and the like are not called.
    Status = "status": "patstatus status patientstatus",
    /// `yes` for a former patient.
    Inactive = "inactive": "inactive",
    /// `no` for a former patient.
    Active = "active": "active",
    /// `yes`, or a date.
    Deceased = "deceased": "deceased",
    /// `yes` for a patient who must not be called.
    DoNotCall = "do_not_call": "donotcall dnc nocall optout unsubscribed nocorrespondence unsubscribe",
    /// How the patient wants to be reached; `DoNotCall` forbids the call.
    PreferredContact = "contact_method": "contactmethod preferrecallmethod prefercontactmethod preferredcontactmethod",
    /// `no` for a patient who must not be called.
    OkToCall = "ok_to_call": "oktocall phoneok",
    /// `yes` for a recall that is switched off.
    Disabled = "disabled": "disabled isdisabled",
    /// A recall that is switched off until this date.
    DisabledUntil = "disabled_until": "disableduntil disableuntildate disableduntildate",
    /// Whether the patient agreed to such calls: `yes`, `no`, or nothing.
    Consent = "consent": "consent callconsent tcpa",
    /// When the patient agreed.
    ConsentDate = "consent_date": "consentdate",
    /// How the patient agreed.
    ConsentSource = "consent_source": "consentsource",
    /// The patient's time zone: an IANA name, or ET, CT, MT, PT, AKT, HT, AT, NT.
    Zone = "timezone": "timezone tz",
    /// The state or province.
    State = "state": "state province st biostate",
    /// The postcode.
    Postcode = "postcode": "zip zipcode postal postalcode postcode biozipcode",
    /// The patient's language.
    Language = "language": "language lang preferredlanguage",
    /// Which of the practice's locations.
    Location = "location": "location site clinic clinicnum office",
    /// The practice's own number for the appointment.
    AppointmentId = "appointment_id": "appointmentid apptid",
    /// When the appointment starts, in the practice's local time unless the cell has an offset.
    AppointmentStart = "appointment_start": "appointmentstart starttime apptdatetime appointmentdatetime",
    /// When the appointment ends.
    AppointmentEnd = "appointment_end": "appointmentend endtime apptend",
    /// The practice's own number for the kind of appointment.
    AppointmentTypeId = "appointment_type_id": "appointmenttypeid appttypeid",
    /// The appointment in words.
    AppointmentDescription = "appointment_description": "appointmentdescription apptdescription appointmenttype appttype",
    /// Who sees the patient.
    Provider = "provider": "provider doctor hygienist dr",
}

impl Field {
    /// The field for a column name, by its aliases.
    #[must_use]
    pub fn from_column(name: &str) -> Option<Self> {
        let name = normalized(name);
        let has_alias = |field: &&Self| field.aliases().split(' ').any(|alias| alias == name);
        Self::ALL.iter().find(has_alias).copied()
    }

    /// The field with exactly this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// The rank of a phone field, 0 for the best; `None` for other fields. A list may have several columns of each.
    #[must_use]
    pub fn phone_rank(self) -> Option<usize> {
        const BEST_FIRST: [Field; 5] =
            [Field::MobilePhone, Field::Phone, Field::HomePhone, Field::WorkPhone, Field::OtherPhone];
        BEST_FIRST.iter().position(|phone| *phone == self)
    }

    /// Whether the field is a patient's name.
    #[must_use]
    pub fn is_name(self) -> bool {
        [Self::FirstName, Self::LastName, Self::PreferredName, Self::FullName].contains(&self)
    }

    /// Whether the field is part of the appointment that a call is about.
    #[must_use]
    pub fn is_of_appointment(self) -> bool {
        const PARTS: [Field; 5] = [
            Field::AppointmentId,
            Field::AppointmentStart,
            Field::AppointmentEnd,
            Field::AppointmentTypeId,
            Field::AppointmentDescription,
        ];
        PARTS.contains(&self)
    }

    /// Whether the field is a date.
    #[must_use]
    pub fn is_date(self) -> bool {
        const DATES: [Field; 7] = [
            Field::DateOfBirth,
            Field::NextAppointment,
            Field::Due,
            Field::LastVisit,
            Field::DisabledUntil,
            Field::AppointmentStart,
            Field::AppointmentEnd,
        ];
        DATES.contains(&self)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column's name without case, spaces and punctuation.
fn normalized(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The template variable for a column: lower case, with one `_` for each run of other characters than letters and
/// digits.
#[must_use]
pub fn variable_name(column: &str) -> String {
    let words: Vec<String> =
        column.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_field_is_known_by_its_own_name() {
        for field in Field::ALL {
            assert_eq!(Field::from_column(field.name()), Some(*field));
        }
    }

    #[test]
    fn no_column_name_means_two_fields() {
        let mut seen = BTreeMap::new();
        for field in Field::ALL {
            for alias in field.aliases().split(' ') {
                assert_eq!(alias, normalized(alias), "{field}");
                assert_eq!(seen.insert(alias, field), None, "{alias}");
            }
        }
    }

    /// Column names from the documentation of practice software and from `lists.md`.
    #[test]
    fn every_documented_alias_is_known() {
        for (field, aliases) in [
            (
                Field::PatientId,
                "patientid patnum patient chart chartnumber chartno account acct mrn foreignid externalid id",
            ),
            (Field::FirstName, "firstname fname first givenname patientfirstname"),
            (Field::PreferredName, "preferred preferredname nickname goesby"),
            (Field::LastName, "lastname lname last surname familyname"),
            (Field::FullName, "name patientname fullname"),
            (Field::DateOfBirth, "dob birthdate birthday dateofbirth birth"),
            (Field::MobilePhone, "mobile mobilephone cell cellphone wireless wirelessphone"),
            (Field::Phone, "phone phone1 telephone primaryphone preferredphone contact contactnumber"),
            (Field::HomePhone, "home homephone hmphone"),
            (Field::WorkPhone, "work workphone wkphone"),
            (Field::OtherPhone, "otherphone"),
            (Field::Household, "guarantor guarantorid responsibleparty respparty resppartyid headofhouse"),
            (Field::Household, "headofhousehold hoh familyid householdid"),
            (
                Field::NextAppointment,
                "nextappt nextappointment nextvisit datescheduled appt appointmentdate scheduleddate",
            ),
            (Field::Due, "duedate datedue recalldate recalldue ccdate nextrecall"),
            (Field::LastVisit, "lastvisit lastappt priortreat dateprevious lastseen"),
            (Field::Interval, "recallinterval interval"),
            (Field::Type, "recalltype cctype"),
            (Field::Status, "patstatus status patientstatus"),
            (Field::DoNotCall, "donotcall dnc nocall optout unsubscribe nocorrespondence"),
            (Field::OkToCall, "oktocall phoneok"),
            (Field::Consent, "consent callconsent tcpa"),
            (Field::Zone, "timezone tz"),
            (Field::State, "state province st"),
            (Field::Postcode, "zip zipcode postal postalcode"),
            (Field::Language, "language lang preferredlanguage"),
            (Field::Location, "location site clinic clinicnum office"),
            (Field::AppointmentId, "appointmentid apptid"),
            (Field::AppointmentStart, "appointmentstart starttime apptdatetime"),
            (Field::Provider, "provider doctor hygienist dr"),
        ] {
            for alias in aliases.split(' ') {
                assert_eq!(Field::from_column(alias), Some(field), "{alias}");
            }
        }
    }

    #[test]
    fn names_are_compared_without_case_and_punctuation() {
        for (column, field) in [
            ("PatNum", Field::PatientId),
            ("Chart #", Field::PatientId),
            ("FIRST_NAME", Field::FirstName),
            ("D.O.B.", Field::DateOfBirth),
            ("Appt?", Field::NextAppointment),
            ("Head of House", Field::Household),
            (" wireless-phone ", Field::MobilePhone),
        ] {
            assert_eq!(Field::from_column(column), Some(field), "{column}");
        }
        assert_eq!(Field::from_column("Notes"), None);
    }

    #[test]
    fn a_variable_is_named_after_its_column() {
        for (column, variable) in [("Preferred Time", "preferred_time"), ("Notes (2)", "notes_2"), ("Né(e)", "né_e")]
        {
            assert_eq!(variable_name(column), variable);
        }
    }
}

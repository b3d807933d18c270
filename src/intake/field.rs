//! The fields of a list row, and the headings by which they are recognised (`headings.tsv`).

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use super::cell_words::words_of;
use super::normal_form::folded;
use super::word_lists::WordList;

macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),* $(,)?) => {
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
        }
    };
}

fields! {
    /// The practice's own number for the patient.
    PatientId = "patient_id",
    /// The legal first name, by which the patient is identified.
    FirstName = "first_name",
    /// The name by which the call addresses the patient.
    PreferredName = "preferred_name",
    /// The last name.
    LastName = "last_name",
    /// Both names in one cell, as `Last, First M.` or `First Last`.
    FullName = "full_name",
    /// The date of birth.
    DateOfBirth = "date_of_birth",
    /// The mobile number: the best one to call.
    MobilePhone = "mobile",
    /// The number to call.
    Phone = "phone",
    /// The home number.
    HomePhone = "home_phone",
    /// The work number.
    WorkPhone = "work_phone",
    /// Another number.
    OtherPhone = "other_phone",
    /// What all members of a household share: a guarantor's or household's number.
    Household = "household_id",
    /// The next appointment on file, or `+` for one whose date is not given.
    NextAppointment = "next_appointment",
    /// When the patient is due for a visit.
    Due = "due",
    /// The last visit.
    LastVisit = "last_visit",
    /// The recall interval, as text.
    Interval = "interval",
    /// The kind of recall, as text.
    Type = "type",
    /// The patient's status; `inactive`, `archived`, `deceased` and the like are not called.
    Status = "status",
    /// `yes` for a former patient.
    Inactive = "inactive",
    /// `no` for a former patient.
    Active = "active",
    /// `yes`, or a date.
    Deceased = "deceased",
    /// `yes` for a patient who must not be called.
    DoNotCall = "do_not_call",
    /// How the patient wants to be reached; `DoNotCall` forbids the call.
    PreferredContact = "contact_method",
    /// `no` for a patient who must not be called.
    OkToCall = "ok_to_call",
    /// `yes` for a recall that is switched off.
    Disabled = "disabled",
    /// A recall that is switched off until this date.
    DisabledUntil = "disabled_until",
    /// Whether the patient agreed to such calls: `yes`, `no`, or nothing.
    Consent = "consent",
    /// When the patient agreed.
    ConsentDate = "consent_date",
    /// How the patient agreed.
    ConsentSource = "consent_source",
    /// The patient's time zone: an IANA name, or ET, CT, MT, PT, AKT, HT, AT, NT.
    Zone = "timezone",
    /// The state or province.
    State = "state",
    /// The postcode.
    Postcode = "postcode",
    /// The patient's language.
    Language = "language",
    /// Which of the practice's locations.
    Location = "location",
    /// The practice's own number for the appointment.
    AppointmentId = "appointment_id",
    /// Whether the appointment still stands; in a reminder or follow-up, also what `status` says.
    AppointmentStatus = "appointment_status",
    /// `yes`, a date or a reason: the appointment does not take place.
    AppointmentCancelled = "appointment_cancelled",
    /// `yes`, a date or a time: the patient has come, so a reminder is too late.
    AppointmentOver = "appointment_over",
    /// When the appointment starts, in the practice's local time unless the cell has an offset.
    AppointmentStart = "appointment_start",
    /// When the appointment ends.
    AppointmentEnd = "appointment_end",
    /// The practice's own number for the kind of appointment.
    AppointmentTypeId = "appointment_type_id",
    /// The appointment in words.
    AppointmentDescription = "appointment_description",
    /// Who sees the patient.
    Provider = "provider",
}

/// The fields of names.
pub(super) const NAME_FIELDS: [Field; 4] = [Field::FirstName, Field::LastName, Field::PreferredName, Field::FullName];

impl Field {
    /// The field for a heading, whatever the list is for.
    #[must_use]
    pub fn from_column(name: &str) -> Option<Self> {
        Heading::of(name).filter(|heading| !heading.is_of_visit).map(|heading| heading.field)
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
        NAME_FIELDS.contains(&self)
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

    /// How the field may forbid a call; `None` for other fields. Every column of such a field is read, and the strictest
    /// counts.
    pub(super) fn exclusion(self) -> Option<Exclusion> {
        const EXCLUSIONS: [(Field, Exclusion); 15] = [
            (Field::Status, Exclusion::Status),
            (Field::Inactive, Exclusion::Inactive),
            (Field::Active, Exclusion::Active),
            (Field::Deceased, Exclusion::Deceased),
            (Field::DoNotCall, Exclusion::DoNotCall),
            (Field::PreferredContact, Exclusion::ContactMethod),
            (Field::OkToCall, Exclusion::OkToCall),
            (Field::Disabled, Exclusion::Disabled),
            (Field::Consent, Exclusion::Consent),
            (Field::ConsentDate, Exclusion::Consent),
            (Field::ConsentSource, Exclusion::Consent),
            (Field::NextAppointment, Exclusion::Booked),
            (Field::AppointmentStatus, Exclusion::AppointmentStatus),
            (Field::AppointmentCancelled, Exclusion::AppointmentCancelled),
            (Field::AppointmentOver, Exclusion::AppointmentOver),
        ];
        EXCLUSIONS.iter().find(|(field, _)| *field == self).map(|(_, exclusion)| *exclusion)
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

/// How a column may forbid a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exclusion {
    /// A status in words, the patient's or the appointment's.
    Status,
    /// Yes: a former patient.
    Inactive,
    /// No: a former patient.
    Active,
    /// Yes or a date.
    Deceased,
    /// Yes: the patient must not be called.
    DoNotCall,
    /// How the patient wants to be reached.
    ContactMethod,
    /// No: the patient must not be called.
    OkToCall,
    /// Yes: the recall is switched off.
    Disabled,
    /// Whether, when or how the patient agreed.
    Consent,
    /// An appointment ahead.
    Booked,
    /// A status in words, the appointment's.
    AppointmentStatus,
    /// Yes, a date or a reason: the appointment does not take place.
    AppointmentCancelled,
    /// Yes, a date or a time: the patient has come.
    AppointmentOver,
}

/// The longest heading that could be a field's, in bytes.
const MAX_HEADING: usize = 200;

/// What a heading means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) field: Field,
    /// Counts only if no column has another heading of the field: `headings.tsv` says which.
    pub(super) is_weak: bool,
    /// Counts in a reminder or follow-up only.
    pub(super) is_of_visit: bool,
}

impl Heading {
    fn from_practice(field: Field) -> Self {
        Self { field, is_weak: false, is_of_visit: false }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        static HEADINGS: LazyLock<HashMap<String, Heading>> = LazyLock::new(|| {
            let own = Field::ALL.iter().map(|field| (normalized(field.name()), Heading::from_practice(*field)));
            table().map(|(heading, text)| (normalized(text), heading)).chain(own).collect()
        });
        if name.len() > MAX_HEADING {
            return None;
        }
        let whole = HEADINGS.get(&normalized(name)).copied();
        // Without the objects of JSON in front: `bio_non_patient`.
        let unwrapped = || {
            let words = words_of(name);
            let wrapper = WordList::named("heading_wrappers");
            let own: String = words.iter().skip_while(|word| wrapper.has(word)).map(String::as_str).collect();
            HEADINGS.get(&own).copied().filter(|_| words.len() > 1).map(|heading| Self { is_weak: true, ..heading })
        };
        whole.or_else(unwrapped).or_else(|| {
            // Without the words that say nothing: `Do_Not_Call__c`, `Deceased (Y/N)`, `Pt Active`.
            let words = words_of(name);
            let noise = WordList::named("heading_noise");
            let essential: String = words.iter().filter(|word| !noise.has(word)).map(String::as_str).collect();
            let known = HEADINGS.get(&essential).copied().filter(|heading| heading.field.exclusion().is_some());
            // Without the words for the patient: `Pt. First`.
            let of_patient = || {
                let subject = WordList::named("heading_subject");
                let own: String = words.iter().filter(|word| !subject.has(word)).map(String::as_str).collect();
                HEADINGS.get(&own).map(|heading| Self { is_weak: true, ..*heading })
            };
            let known = known.or_else(|| of_patient().filter(|_| subject_is_first(&words)));
            known.or_else(|| field_by_words(&words).map(|field| Self { is_weak: true, ..Self::from_practice(field) }))
        })
    }
}

/// Whether a heading begins with a word for the patient and has others.
fn subject_is_first(words: &[String]) -> bool {
    words.len() > 1 && WordList::named("heading_subject").has(&words[0])
}

/// The field about an appointment that the words of a heading name: `Next Appt Date/Time`, `Statut RDV`, `Cancelled At`.
fn field_by_words(words: &[String]) -> Option<Field> {
    let list = WordList::named;
    let (off, beside) = (list("appointment_off"), list("appointment_beside"));
    let is_off = off.has_any(words) && words.iter().all(|word| off.has(word) || beside.has(word));
    let is_show = words.iter().any(|word| word == "show") && !words.iter().any(|word| word == "no");
    match () {
        () if is_off && !is_show => Some(Field::AppointmentCancelled),
        () if list("appointment_what").has_any(words)
            && list("appointment_state").has_any(words)
            && words.len() <= 3 =>
        {
            Some(Field::AppointmentStatus)
        }
        () if list("booked_when").has_any(words)
            && list("booked_what").has_any(words)
            && !words.iter().any(|word| word == "last") =>
        {
            Some(Field::NextAppointment)
        }
        () => None,
    }
}

/// The headings of the columns that may forbid a call.
pub(super) fn exclusion_headings() -> impl Iterator<Item = &'static str> {
    table().filter(|(heading, _)| heading.field.exclusion().is_some()).map(|(_, text)| text)
}

/// The rows of `headings.tsv`: each heading with its text.
fn table() -> impl Iterator<Item = (Heading, &'static str)> {
    let lines = include_str!("headings.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(headings_of).flatten()
}

fn headings_of(line: &'static str) -> Option<impl Iterator<Item = (Heading, &'static str)>> {
    let (field, rest) = line.split_once('\t')?;
    let (source, headings) = rest.split_once('\t')?;
    let field = Field::named(field)?;
    let heading = Heading { field, is_weak: source != "practice", is_of_visit: source == "visit" };
    Some(headings.split(" | ").map(move |text| (heading, text)))
}

/// A column's name without case, accents, spaces and punctuation.
fn normalized(name: &str) -> String {
    folded(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The name of the field that a column's heading means.
#[must_use]
pub fn field_of_column(heading: &str) -> Option<&'static str> {
    Field::from_column(heading).map(Field::name)
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
    fn no_heading_stands_twice_and_every_line_of_the_table_is_read() {
        let mut seen = BTreeMap::new();
        for (Heading { field, .. }, text) in table() {
            assert_eq!(seen.insert(normalized(text), field), None, "{text}");
        }
        for field in Field::ALL {
            let own = seen.get(&normalized(field.name()));
            assert!(own.is_none_or(|own| own == field), "{field} is another field's heading");
        }
        assert!(seen.len() > 600, "{} headings", seen.len());
        let lines = include_str!("headings.tsv").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            assert!(headings_of(line).is_some(), "{line}");
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

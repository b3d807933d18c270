//! The texts of calls.

use super::*;

#[test]
fn templates_see_the_row_the_practice_and_the_appointment() {
    let mut campaign = campaign(Purpose::Reminder);
    campaign.message.context = template(
        "{{ patient_id }} {{ first_name }} {{ last_name }} {{ date_of_birth }} [{{ last_visit }}] {{ due }} \
         {{ preferred_time }} {{ notes_2 }} {{ practice.name }} {{ practice.callback_number }} {{ campaign.purpose }} \
         {{ appointment.id }} {{ appointment.start }} {{ provider }} {{ household | length }}",
    );
    let text = "Patient ID,First,Last,DOB,Cell,Last Visit,Due,Preferred Time,Notes,Notes,Apptid,Start Time,Doctor\n\
                P-7,Ana,Ruiz,3/22/88,3125550101,0001-01-01,12/24/2026,mornings,a,b,A-1,2026-11-25T09:00,Dr. Voss\n";
    let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
    insta::assert_snapshot!(result.entries[0].content.context.as_deref().expect("a context"), @"P-7 Ana Ruiz 1988-03-22 [] 2026-12-24 mornings b Bright Smile Dental +13125550199 reminder A-1 2026-11-25T09:00:00-06:00 Dr. Voss 0");
}

#[test]
fn a_misspelt_variable_refuses_the_list_in_one_line_and_one_that_a_row_needs_rejects_the_row() {
    let mut campaign = campaign(Purpose::Recall);
    let text = b"patient_id,first_name,mobile\n1,Ana,3125550101\n2,Ben,3125550102\n";
    campaign.message.context = template("{{ prefered_name }}");
    let error = run_intake_on(text, &campaign).map(|_| ()).expect_err("a wrong template").to_string();
    let expected = "the campaign's message.context, line 1, uses `prefered_name`, which the list does not have (did you mean \
                    `preferred_name`?)";
    assert!(error.starts_with(expected) && !error.contains('\n'), "{error}");

    campaign.message.context = template("{% if patient_id == '2' %}{{ shoe_size }}{% endif %}Hello");
    let result = run_intake_on(text, &campaign).expect("a list");
    assert_eq!(result.rejected[0].to_string(), "line 3: message.context, line 1: the list has no `shoe_size`");
}

#[test]
fn texts_are_linted_once_for_the_campaign() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.message.voicemail = Some(template("Your balance is due. Call 312-555-0199."));
    let text = "patient_id,first_name,mobile\n1,Ana,3125550101\n2,Ben,3125550102\n";
    let warnings = run_intake_on(text.as_bytes(), &campaign).expect("a list").summary.warnings;
    let shown: Vec<String> = warnings.iter().map(|(warning, rows)| format!("{warning} ({rows})")).collect();
    assert_eq!(
        shown,
        [
            "message.voicemail: does not say the practice's name (2)",
            "message.voicemail: says `balance`, which others might hear (2)"
        ]
    );
}

#[test]
fn a_context_that_does_not_name_the_household_is_a_warning() {
    let mut campaign = campaign(Purpose::Recall);
    let text = format!("{HEADER}\n10,Ana,Ruiz,1980-05-01,3125550101,10\n11,Ben,Ruiz,2015-05-01,3125550101,10\n");
    let warnings = |campaign: &Campaign| run_intake_on(text.as_bytes(), campaign).expect("a list").summary.warnings;
    assert!(warnings(&campaign).is_empty());
    campaign.message.context = template("{{ first_name }} is due.");
    assert_eq!(warnings(&campaign), [(IntakeWarning::HouseholdUnnamed, 1)].into());
}

#[test]
fn doubtful_first_names_are_counted_where_the_patient_is_called() {
    let list = "id,full name,phone,dob,do not call\n1,Ann & Bob Coe,3125550101,1980-01-01,\n2,\"Coe, Baby Boy\",3125550101,\
                2026-05-01,\n3,Smith John,3125550103,1980-01-01,yes\n4,\"Coe, Ann\",3125550104,1980-01-01,\n";
    let result = run_intake(list);
    assert_eq!(result.summary.warnings, [(IntakeWarning::NameDoubtful, 2)].into());
    let patient = &result.entries[0].content.patient;
    assert_eq!(
        (patient.first_name.as_str(), patient.last_name.as_deref()),
        ("Ann & Bob Coe", None),
        "{}",
        render(&result)
    );
}

//! A9. The Medicare format in English and Spanish: the cover letter, the to-do list and the medication list, the day by
//! which it is due (14 days after the review), how hard it is to read; and no number with a needless zero: "5.0 mg" never
//! appears.

use clinical::actor::Role;
use clinical::field::{FieldName, ListName};
use serde_json::{Value, json};

use crate::clinic::Clinic;

#[tokio::test(flavor = "multi_thread")]
async fn a9_the_medicare_pages_say_the_same_in_both_languages_and_no_dose_ends_in_a_zero() {
    let clinic = Clinic::of_ruth().await;
    let mut pharmacist = clinic.arrives(Role::Pharmacist).await;
    let patient = clinic.comes_in(Role::Patient, &mut pharmacist).await;
    let dose = json!({
        "text": "5.0 mg twice daily", "dose": { "value": "5", "unit": "mg" },
        "freq": { "count": 2, "period": 1, "unit": "d" },
    });
    let product = json!({ "name": "Apixaban", "strength_form": "5 mg tablet" });
    pharmacist
        .adds(ListName::Meds, &[(FieldName::MedsProduct, product), (FieldName::MedsSig, dose)])
        .await;
    let todo = pharmacist
        .adds(ListName::Todos, &[(FieldName::TodosShouldDo, json!({ "text": "Walk every day" }))])
        .await;
    pharmacist.types(todo, FieldName::TodosTalkedAbout, "Moving more").await;
    pharmacist.shares_the_plan().await;

    for (language, words) in [
        ("en", ["Prepared for", "My to-do list", "My medicines", "5 mg"]),
        ("es", ["Preparado para", "Mi lista", "Mis medicinas", "5 mg"]),
    ] {
        let page = clinic.page(&patient, language).await;
        for word in words {
            page.says(word);
        }
        for both in ["Walk every day", "Moving more", "Apixaban"] {
            page.says(both);
        }
        page.does_not_say("5.0");
        let letter = &page.0["letter"];
        assert!(letter["greeting"].is_array(), "{letter}");
        // The review was today: it is due to the patient in 14 days.
        assert!(letter["due_by"].is_string(), "{letter}");
        // How hard it is to read is told with it, by the formula of its language.
        assert_eq!(page.0["reading"]["language"], language);
        assert_ne!(page.0["reading"]["verdict"], "too_hard", "{}", page.0["reading"]);
        assert_ne!(page.0["reading"]["tenths"], Value::Null);
    }
    clinic.closes().await;
}

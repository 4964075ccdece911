//! The sentences read back.

use proptest::prelude::*;

use super::*;

/// Reads the sentences as a person would: by their words. It shares no table with the formatter but the language's own
/// names of things.
#[derive(Debug, Default, PartialEq)]
struct Read {
    dose: Option<(String, String)>,
    freq: Option<(u8, u16, char)>,
    times: Vec<TimeOfDay>,
    meal: Option<Meal>,
    prn: Option<String>,
    max: Option<String>,
}

fn plain_number(text: &str) -> String {
    text.replace([',', '\u{a0}'], "")
}

fn dose_of(words: &str, language: Language) -> Option<(String, String)> {
    let verbs = language.pick(
        ["Take ", "Use ", "Put ", "Breathe in ", "Stick ", "Inject "].as_slice(),
        ["Tome ", "Use ", "Ponga ", "Inhale ", "Pegue ", "Inyecte "].as_slice(),
    );
    let rest = verbs.iter().find_map(|verb| words.strip_prefix(verb))?;
    let (number, rest) = rest.split_once(' ')?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let unit = rest.split([' ', '(', '.', ',']).next()?;
    let unit = match unit {
        "unit" | "unidad" | "unidades" => "units",
        "inhalación" | "inhalaciones" => "puff",
        "rociada" | "rociadas" => "spray",
        "gota" | "gotas" => "drop",
        "parche" | "parches" => "patch",
        "supositorio" | "supositorios" => "suppository",
        "sobre" | "sobres" => "packet",
        "pastilla" | "pastillas" => "lozenge",
        "aplicación" | "aplicaciones" => "application",
        "dosis" => "dose",
        other => other,
    };
    Some((plain_number(number), unit_word(unit).to_owned()))
}

fn freq_of(part: &str) -> Option<(u8, u16, char)> {
    let part = part.trim();
    let unit = |word: &str| {
        Some(match word.trim_end_matches(" (un día sí y un día no)") {
            "hour" | "hours" | "hora" | "horas" => 'h',
            "day" | "days" | "día" | "días" => 'd',
            "week" | "weeks" | "semana" | "semanas" => 'w',
            "month" | "months" | "mes" | "meses" => 'm',
            _ => return None,
        })
    };
    match part {
        "daily" => return Some((1, 1, 'd')),
        "every other day" => return Some((1, 2, 'd')),
        "every hour" | "cada hora" => return Some((1, 1, 'h')),
        _ => {}
    }
    let (count, rest) = match part
        .split_once(" times ")
        .or_else(|| part.split_once(" time "))
        .or_else(|| part.split_once(" veces "))
        .or_else(|| part.split_once(" vez "))
    {
        Some((count, rest)) => (count.parse().ok()?, rest),
        None => (1, part),
    };
    for each in ["an ", "a ", "por ", "al "] {
        if let Some(word) = rest.strip_prefix(each) {
            return Some((count, 1, unit(word)?));
        }
    }
    let rest = rest.strip_prefix("every ").or_else(|| rest.strip_prefix("cada "))?;
    let (period, word) = rest.split_once(' ')?;
    Some((count, period.parse().ok()?, unit(word)?))
}

fn times_of(part: &str) -> Vec<TimeOfDay> {
    let mut found = Vec::new();
    for (words, time) in [
        (["in the morning", "por la mañana"], TimeOfDay::Morning),
        (["at noon", "al mediodía"], TimeOfDay::Noon),
        (["in the evening", "por la noche"], TimeOfDay::Evening),
        (["at bedtime", "al acostarse"], TimeOfDay::Bedtime),
    ] {
        if words.iter().any(|words| part.contains(words)) {
            found.push(time);
        }
    }
    found
}

fn read(sentences: &[String], language: Language) -> Read {
    let mut read = Read::default();
    let (first, rest) = sentences.split_first().unwrap();
    let first = first.strip_suffix('.').unwrap();
    read.dose = dose_of(first, language);
    // The aside in brackets may hold a comma.
    let without_aside = match (first.find('('), first.find(')')) {
        (Some(open), Some(close)) if first[open..].starts_with("(un día") => {
            let _ = close;
            first.to_owned()
        }
        (Some(open), Some(close)) => format!("{}{}", &first[..open], &first[close + 1..]),
        _ => first.to_owned(),
    };
    for part in without_aside.split(", ").skip(1) {
        match freq_of(part) {
            Some(freq) => read.freq = Some(freq),
            None => read.times.extend(times_of(part)),
        }
    }
    let verbs = [
        "Take it ",
        "Use it ",
        "Put it ",
        "Breathe it in ",
        "Stick it ",
        "Inject it ",
        "Tómela ",
        "Úsela ",
        "Póngala ",
        "Inhálela ",
        "Péguela ",
        "Inyéctela ",
    ];
    for sentence in rest {
        let sentence = sentence.strip_suffix('.').unwrap();
        if let Some(part) = verbs.iter().find_map(|verb| sentence.strip_prefix(verb)) {
            match part {
                "before you eat" | "antes de comer" => read.meal = Some(Meal::Before),
                "with food" | "con comida" => read.meal = Some(Meal::With),
                "after you eat" | "después de comer" => read.meal = Some(Meal::After),
                part => read.times.extend(times_of(part)),
            }
        }
        if let Some(reason) = sentence
            .strip_prefix("Use it only if you need it")
            .or_else(|| sentence.strip_prefix("Úsela solo si la necesita"))
        {
            let reason = reason.trim_start_matches(" for: ").trim_start_matches(" para: ");
            read.prn = Some(reason.to_owned());
        }
        if let Some(most) = sentence
            .strip_prefix("Do not use more than ")
            .or_else(|| sentence.strip_prefix("No use más de "))
        {
            read.max = Some(plain_number(most.split(' ').next().unwrap()));
        }
    }
    read
}

fn expected(sig: &Sig) -> Read {
    Read {
        dose: sig
            .dose
            .as_ref()
            .map(|dose| (dose.value.as_str().to_owned(), unit_word(&dose.unit).to_owned())),
        freq: sig.freq.map(|freq| {
            let unit = match freq.unit {
                PeriodUnit::H => 'h',
                PeriodUnit::D => 'd',
                PeriodUnit::Wk => 'w',
                PeriodUnit::Mo => 'm',
            };
            (freq.count, freq.period, unit)
        }),
        times: sig.times.clone(),
        meal: sig.freq.and_then(|freq| freq.meal),
        prn: sig.prn.as_ref().map(|prn| prn.reason.clone()),
        max: sig.max_per_day.as_ref().map(|max| max.as_str().to_owned()),
    }
}

fn decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (1_u32..2000).prop_map(|n| n.to_string()),
        (1_u32..999_999_999).prop_map(|n| n.to_string()),
        (0_u32..100, 1_u32..10).prop_map(|(a, b)| format!("{a}.{b}")),
        (0_u32..100, 0_u32..10, 1_u32..10).prop_map(|(a, b, c)| format!("{a}.{b}{c}")),
        Just("0.5".to_owned()),
        Just("0.125".to_owned()),
        Just("1".to_owned()),
    ]
    .prop_map(|text| Decimal::parse(&text).unwrap())
}

const ROUTES: [Route; 13] = [
    Route::Oral,
    Route::Sublingual,
    Route::Inhaled,
    Route::Nasal,
    Route::Topical,
    Route::Transdermal,
    Route::Subcutaneous,
    Route::Intramuscular,
    Route::Ophthalmic,
    Route::Otic,
    Route::Rectal,
    Route::Vaginal,
    Route::Other,
];

pub(crate) fn any_sig() -> impl Strategy<Value = Sig> {
    let unit = prop::sample::select(vec![
        "tablet",
        "capsule",
        "mg",
        "mcg",
        "g",
        "mL",
        "units",
        "puff",
        "spray",
        "drop",
        "patch",
        "suppository",
        "packet",
        "lozenge",
        "application",
        "dose",
        "mEq",
        "tab",
        "IU",
        "µg",
    ]);
    let dose = (decimal(), unit).prop_map(|(value, unit)| Dose { value, unit: unit.to_owned() });
    let meal = prop::option::of(prop::sample::select(vec![Meal::Before, Meal::With, Meal::After]));
    let unit =
        prop::sample::select(vec![PeriodUnit::H, PeriodUnit::D, PeriodUnit::Wk, PeriodUnit::Mo]);
    let freq = (
        prop_oneof![Just(1_u8), 1_u8..=24],
        prop_oneof![Just(1_u16), Just(2), 1_u16..=365],
        unit,
        meal,
    )
        .prop_map(|(count, period, unit, meal)| Frequency { count, period, unit, meal });
    let times = prop::sample::subsequence(
        vec![TimeOfDay::Morning, TimeOfDay::Noon, TimeOfDay::Evening, TimeOfDay::Bedtime],
        0..=4,
    );
    let reason = prop::sample::select(vec!["", "pain", "dolor de pecho, si dura", "chest pain"]);
    let prn = prop::option::of(reason.prop_map(|reason| Prn { reason: reason.to_owned() }));
    (
        prop::option::of(dose),
        prop::option::of(prop::sample::select(ROUTES.to_vec())),
        prop::option::of(freq),
        times,
        prn,
        prop::option::of(decimal()),
    )
        .prop_map(|(dose, route, freq, times, prn, max_per_day)| Sig {
            text: "as written".to_owned(),
            dose,
            route,
            freq,
            times,
            prn,
            max_per_day,
        })
}

pub(crate) fn any_product() -> impl Strategy<Value = Product> {
    prop::sample::select(vec![
        ("Lisinopril 10 MG Oral Tablet", ""),
        ("Digoxin 0.125 MG Oral Tablet", ""),
        ("metformin", "500 mg tablet"),
        ("omeprazole", "20 mg delayed-release capsule"),
        ("Verapamil Hydrochloride 40 MG", ""),
        ("60 ACTUAT Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler", ""),
    ])
    .prop_map(|(name, strength_form)| Product {
        name: name.to_owned(),
        code: None,
        strength_form: strength_form.to_owned(),
        ingredients: Vec::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_dose_and_every_time_reads_back(sig in any_sig(), product in any_product()) {
        for language in Language::ALL {
            let sentences = sig_sentences(&sig, Some(&product), language);
            if is_structured(&sig) {
                prop_assert_eq!(read(&sentences, language), expected(&sig), "{:?}", sentences);
                prop_assert_eq!(misreadings(&sentences.join(" ")), vec![], "{:?}", sentences);
            } else {
                prop_assert!(sentences.is_empty());
            }
        }
    }

    #[test]
    fn what_we_write_ourselves_adds_nothing(mut sig in any_sig(), product in any_product()) {
        for language in Language::ALL {
            sig.text = sig_text(&sig, language);
            prop_assume!(is_structured(&sig));
            prop_assert_eq!(says_more(&sig, Some(&product)), TextAdds::Nothing);
        }
    }
}

fn sig(dose: Option<(&str, &str)>, route: Route, freq: Option<(u8, u16, PeriodUnit)>) -> Sig {
    Sig {
        text: "as written".to_owned(),
        dose: dose.map(|(value, unit)| Dose {
            value: Decimal::parse(value).unwrap(),
            unit: unit.to_owned(),
        }),
        route: Some(route),
        freq: freq.map(|(count, period, unit)| Frequency { count, period, unit, meal: None }),
        ..Sig::default()
    }
}

fn both(sig: &Sig, name: &str) -> [String; 2] {
    let product = Product {
        name: name.to_owned(),
        code: None,
        strength_form: String::new(),
        ingredients: Vec::new(),
    };
    Language::ALL.map(|language| sig_sentences(sig, Some(&product), language).join(" "))
}

#[test]
fn a_tablet_is_told_with_what_it_holds() {
    let daily = sig(Some(("1", "tablet")), Route::Oral, Some((1, 1, PeriodUnit::D)));
    assert_eq!(
        both(&daily, "Lisinopril 10 MG Oral Tablet"),
        [
            "Take 1 tablet (10 mg) by mouth, daily.",
            "Tome 1 tableta (10 mg) por la boca, 1 vez al día.",
        ]
    );
    let half = sig(Some(("0.5", "tablet")), Route::Oral, Some((2, 1, PeriodUnit::D)));
    assert_eq!(
        both(&half, "Digoxin 0.125 MG Oral Tablet"),
        [
            "Take 0.5 tablet (half a tablet, 0.0625 mg) by mouth, 2 times a day.",
            "Tome 0.5 tableta (media tableta, 0.0625 mg) por la boca, 2 veces al día.",
        ]
    );
    assert_eq!(
        both(&daily, "Lisinopril 10 MG / Hydrochlorothiazide 12.5 MG Oral Tablet"),
        ["Take 1 tablet by mouth, daily.", "Tome 1 tableta por la boca, 1 vez al día.",]
    );
}

#[test]
fn several_times_of_day_and_food_have_their_own_sentences() {
    let mut twice = sig(Some(("1", "tablet")), Route::Oral, Some((2, 1, PeriodUnit::D)));
    twice.times = vec![TimeOfDay::Morning, TimeOfDay::Evening];
    twice.freq.as_mut().unwrap().meal = Some(Meal::With);
    assert_eq!(
        both(&twice, "metformin 500 MG Oral Tablet"),
        [
            "Take 1 tablet (500 mg) by mouth, 2 times a day. Take it in the morning and in the evening. Take it with food.",
            "Tome 1 tableta (500 mg) por la boca, 2 veces al día. Tómela por la mañana y por la noche. Tómela con comida.",
        ]
    );
    let daily = Sig {
        times: vec![TimeOfDay::Bedtime],
        ..sig(Some(("1", "capsule")), Route::Oral, Some((1, 1, PeriodUnit::D)))
    };
    assert_eq!(
        both(&daily, "tamsulosin"),
        [
            "Take 1 capsule by mouth, daily, at bedtime.",
            "Tome 1 cápsula por la boca, 1 vez al día, al acostarse.",
        ]
    );
}

#[test]
fn large_numbers_have_marks_that_no_reader_takes_for_a_point() {
    let units = sig(Some(("50000", "IU")), Route::Oral, Some((1, 1, PeriodUnit::Wk)));
    assert_eq!(
        both(&units, "ergocalciferol"),
        [
            "Take 50,000 units by mouth, 1 time a week.",
            "Tome 50\u{a0}000 unidades por la boca, 1 vez por semana.",
        ]
    );
    let grams = sig(Some(("1000", "mg")), Route::Oral, Some((1, 8, PeriodUnit::H)));
    assert_eq!(
        both(&grams, "acetaminophen"),
        ["Take 1000 mg by mouth, every 8 hours.", "Tome 1000 mg por la boca, cada 8 horas.",]
    );
}

#[test]
fn no_sentence_says_once() {
    // "Once" is eleven in Spanish.
    for count in 1..=24 {
        for unit in [PeriodUnit::H, PeriodUnit::D, PeriodUnit::Wk, PeriodUnit::Mo] {
            let freq = Frequency { count, period: 1, unit, meal: None };
            assert!(!frequency(&freq, Language::En).contains("once"));
            assert!(!frequency(&freq, Language::Es).contains("once"));
        }
    }
}

#[test]
fn staff_read_one_line() {
    let mut staff = sig(Some(("1", "tablet")), Route::Sublingual, None);
    staff.prn = Some(Prn { reason: "chest pain".to_owned() });
    staff.max_per_day = Decimal::parse("3");
    assert_eq!(
        sig_text(&staff, Language::En),
        "1 tablet under the tongue, as needed for chest pain, at most 3 doses a day"
    );
}

#[test]
fn a_name_keeps_its_words_and_loses_its_shouting() {
    let name = |name: &str| {
        product(&Product {
            name: name.to_owned(),
            code: None,
            strength_form: String::new(),
            ingredients: Vec::new(),
        })
    };
    assert_eq!(name("Simvastatin 20 MG Oral Tablet"), "Simvastatin 20 mg Oral Tablet");
    assert_eq!(
        name("insulin glargine 100 UNT/ML Pen Injector"),
        "insulin glargine 100 units/mL Pen Injector"
    );
    assert_eq!(name("salmeterol 0.05 MG/ACTUAT"), "salmeterol 0.05 mg/actuation");
    assert_eq!(name("Centrum Silver"), "Centrum Silver");
}

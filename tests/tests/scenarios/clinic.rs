//! The words the scenarios are told in: a clinic with a visit, and people who do things in it over real lines.

use std::collections::BTreeMap;

use clinical::actor::Role;
use clinical::change::Change;
use clinical::command::Command;
use clinical::edit::{Base, Op};
use clinical::field::{Address, DocKind, FieldName, ListName, Place};
use clinical::gate::{GateCode, GateItem};
use clinical::id::{DocId, EditId, PersonId, RecordId, RowId};
use clinical::phi::Phi;
use clinical::register::Register;
use mortar::{patient, person};
use serde_json::{Value, json};
use signaling::message::{ClientMessage, RecordRefusal, ServerMessage, SnapshotContent};
use tests::gate::{typed, written};
use tests::participant::Participant;
use tests::world::World;
use uuid::Uuid;

/// The demo practice with one visit of one patient.
pub(crate) struct Clinic {
    pub(crate) world: World,
    pub(crate) record: RecordId,
}

impl Clinic {
    /// Ruth Delgado of the demo practice, with pharmacist, doctor, specialist, caregiver and health worker.
    pub(crate) async fn of_ruth() -> Self {
        let world = World::start().await;
        let record = world.record().await;
        let patient = world.person(Role::Patient);
        Self::with(world, record, patient).await
    }

    /// Somebody whose chart comes from elsewhere, and the same team.
    pub(crate) async fn of_chart(chart: &[u8]) -> Self {
        let world = World::start().await;
        let app = world.server().app();
        let imported = patient::import(&app.store, &app.vault, &app.writer, chart, None).await;
        let imported = imported.expect("a chart");
        Self::with(world, imported.record, imported.person).await
    }

    async fn with(world: World, record: RecordId, patient: PersonId) -> Self {
        let app = world.server().app();
        let mut people = vec![(patient, Role::Patient)];
        for (name, role) in [("Sam Ortiz", Role::Chw), ("Dr. Otto Weiss", Role::Specialist)] {
            let name = Phi::new(name.to_owned());
            let new = person::add(&app.store, &app.vault, &app.writer, &name, role, None).await;
            people.push((new.expect("a person"), role));
        }
        for role in [Role::Pharmacist, Role::Pcp, Role::Caregiver] {
            people.push((world.person(role), role));
        }
        let world = world.visit_of(record, &people).await;
        Self { world, record }
    }

    /// The visit is over, and another one of the same patient with the same people follows.
    pub(crate) async fn another_visit(self) -> Self {
        let Self { world, record } = self;
        let patient = world.person(Role::Patient);
        Self::with(world, record, patient).await
    }

    /// Somebody opens their link; staff have the record open from then on.
    pub(crate) async fn arrives(&self, role: Role) -> Person {
        let cookie = self.world.cookie(role).await;
        self.comes_back(role, cookie).await
    }

    /// Somebody comes with the cookie their browser has.
    pub(crate) async fn comes_back(&self, role: Role, cookie: String) -> Person {
        let line = self.world.join_with(role, &cookie).await;
        let staff = !matches!(role, Role::Patient | Role::Caregiver);
        let mut person = Person {
            role,
            person: self.world.person(role),
            cookie,
            line,
            record: self.record,
            docs: BTreeMap::new(),
            screen: BTreeMap::new(),
            rows: BTreeMap::new(),
        };
        if staff {
            person.looks().await;
        }
        person
    }

    /// Somebody of the patient's side comes in, let in by staff who heard the patient agree.
    pub(crate) async fn comes_in(&self, role: Role, by: &mut Person) -> Person {
        let mut guest = self.arrives(role).await;
        by.line.admit(&mut guest.line).await;
        guest.looks().await;
        guest
    }

    /// What a role reads at an address of its seat, as text.
    pub(crate) async fn gets(&self, person: &Person, what: &str) -> String {
        let path = format!("/api/seats/{}/{what}", person.line.seat);
        let answer = self.world.get(&path, &person.cookie).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        answer.body
    }

    /// The patient's page as it is served to somebody, by the link they came by.
    pub(crate) async fn page(&self, person: &Person, language: &str) -> Page {
        let path = format!("/api/seats/{}/takeaway?language={language}", person.line.seat);
        // Being let in is written down after it was told: on a slow disk a moment later.
        let mut answer = self.world.get(&path, &person.cookie).await;
        for _ in 0..1_000 {
            if answer.status != 204 {
                break;
            }
            answer = self.world.get(&path, &person.cookie).await;
        }
        assert_eq!(answer.status, 200, "there is no page: {}", answer.body);
        Page(serde_json::from_str(&answer.body).expect("a page"))
    }

    /// The record as it is taken along by a pharmacist.
    pub(crate) async fn exports(&self, person: &Person, kind: &str) -> Value {
        let path = format!("/api/seats/{}/export", person.line.seat);
        let wish = json!({ "kind": kind, "reason": "treatment" });
        let reply = self.world.post(&path, &person.cookie, &wish).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json
    }

    /// Whether the log of accesses holds an action.
    pub(crate) fn log_holds(&self, action: &str) -> bool {
        let files = std::fs::read_dir(self.world.folder()).expect("the folder");
        files.flatten().any(|file| {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            bytes.windows(action.len()).any(|window| window == action.as_bytes())
        })
    }

    pub(crate) async fn closes(self) {
        self.world.stop().await;
    }
}

/// The patient's page.
pub(crate) struct Page(pub(crate) Value);

impl Page {
    /// Every sentence of it, with badges and titles.
    pub(crate) fn words(&self) -> String {
        fn gather(value: &Value, words: &mut String) {
            match value {
                Value::String(text) => {
                    words.push_str(text);
                    words.push('\n');
                }
                Value::Array(many) => many.iter().for_each(|one| gather(one, words)),
                Value::Object(fields) => fields.values().for_each(|one| gather(one, words)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        let mut words = String::new();
        gather(&self.0, &mut words);
        words
    }

    #[track_caller]
    pub(crate) fn says(&self, sentence: &str) {
        let words = self.words();
        assert!(words.contains(sentence), "{sentence:?} is not on the page:\n{words}");
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, sentence: &str) {
        let words = self.words();
        assert!(!words.contains(sentence), "{sentence:?} is on the page:\n{words}");
    }
}

/// Somebody with a browser.
pub(crate) struct Person {
    pub(crate) role: Role,
    pub(crate) person: PersonId,
    pub(crate) cookie: String,
    pub(crate) line: Participant,
    record: RecordId,
    docs: BTreeMap<DocKind, Doc>,
    screen: BTreeMap<Address, Register>,
    rows: BTreeMap<ListName, Vec<RowId>>,
}

#[derive(Clone, Copy)]
struct Doc {
    id: DocId,
    client: u64,
    seq: u64,
}

impl Person {
    /// Loads the record anew: from here on they know what everybody knew at this moment, and nothing since.
    pub(crate) async fn looks(&mut self) {
        let last = match self.role {
            Role::Patient | Role::Caregiver | Role::Chw => DocKind::Voice,
            _ => DocKind::Team,
        };
        let from = self.line.heard.len();
        self.line.open(self.record, last).await;
        (self.docs, self.screen, self.rows) = Default::default();
        for message in &self.line.heard[from..] {
            let ServerMessage::RecordSnapshot { doc, kind, seq, client_id, content, .. } = message
            else {
                continue;
            };
            self.docs.insert(*kind, Doc { id: *doc, client: *client_id, seq: *seq });
            let SnapshotContent::Full { state } = content else { panic!("everything") };
            for held in &state.registers {
                self.screen.insert(held.at, held.register.clone());
            }
            for list in &state.lists {
                self.rows.entry(list.list).or_default().extend(&list.rows);
            }
        }
    }

    /// The rows of a list on their screen.
    pub(crate) fn rows(&self, list: ListName) -> Vec<RowId> {
        self.rows.get(&list).cloned().unwrap_or_default()
    }

    /// A field on their screen.
    pub(crate) fn sees(&self, row: RowId, field: FieldName) -> Option<&Register> {
        self.screen.get(&at(row, field))
    }

    /// The value of a field on their screen; `Null` where there is none or two.
    pub(crate) fn reads(&self, row: impl Into<Option<RowId>>, field: FieldName) -> Value {
        let register = self.screen.get(&Address { row: row.into(), field });
        let value = register.and_then(Register::value).and_then(clinical::value::Value::read);
        value.unwrap_or(Value::Null)
    }

    /// The row of the medicine that is called so, or begins so.
    pub(crate) fn medicine(&self, name: &str) -> RowId {
        let found = self.rows(ListName::Meds).into_iter().find(|row| {
            let product = self.reads(*row, FieldName::MedsProduct);
            product["name"].as_str().is_some_and(|known| known.starts_with(name))
        });
        found.unwrap_or_else(|| panic!("no medicine {name}"))
    }

    fn doc(&self, kind: DocKind) -> Doc {
        *self.docs.get(&kind).unwrap_or_else(|| panic!("{:?} has no {kind:?}", self.role))
    }

    pub(crate) fn doc_of(&self, kind: DocKind) -> DocId {
        self.doc(kind).id
    }

    /// Adds a row and says what stands in it.
    pub(crate) async fn adds(&mut self, list: ListName, values: &[(FieldName, Value)]) -> RowId {
        self.tries_to_add(list, values).await.expect("it is added")
    }

    pub(crate) async fn tries_to_add(
        &mut self,
        list: ListName,
        values: &[(FieldName, Value)],
    ) -> Result<RowId, RecordRefusal> {
        let row = RowId(Uuid::now_v7());
        let values = values.iter().map(|(field, json)| (*field, Phi::new(json.clone()))).collect();
        let doc = self.doc(list.doc()).id;
        self.line.edit(doc, Op::Add { list, row, after: None, values }).await?;
        Ok(row)
    }

    /// Adds a medicine by name and strength.
    pub(crate) async fn adds_medicine(&mut self, name: &str, how: &str) -> RowId {
        let product = (FieldName::MedsProduct, json!({ "name": name }));
        let sig = (FieldName::MedsSig, json!({ "text": how }));
        self.adds(ListName::Meds, &[product, sig]).await
    }

    /// Writes over what they saw when they last looked.
    pub(crate) async fn writes(
        &mut self,
        row: impl Into<Option<RowId>>,
        field: FieldName,
        value: Value,
    ) {
        self.tries_to_write(row, field, value).await.expect("it is taken");
    }

    pub(crate) async fn tries_to_write(
        &mut self,
        row: impl Into<Option<RowId>>,
        field: FieldName,
        value: Value,
    ) -> Result<(), RecordRefusal> {
        let at = Address { row: row.into(), field };
        let base = Base::Rev(self.screen.get(&at).map_or(0, Register::rev));
        let doc = self.doc(field.doc()).id;
        self.line.edit(doc, Op::Set { at, base, value: Phi::new(Some(value)) }).await.map(|_| ())
    }

    /// Decides between two values, having looked at both.
    pub(crate) async fn settles(&mut self, row: RowId, field: FieldName, value: Value) {
        self.looks().await;
        let at = at(row, field);
        let Some(Register::Conflict { candidates, .. }) = self.screen.get(&at) else {
            panic!("there is nothing to settle")
        };
        let seen = candidates.iter().map(|one| one.rev).collect();
        let doc = self.doc(field.doc()).id;
        let op = Op::Resolve { at, seen, value: Phi::new(Some(value)) };
        self.line.edit(doc, op).await.expect("it is settled");
    }

    /// Types the first words of a text.
    pub(crate) async fn types(
        &mut self,
        row: impl Into<Option<RowId>>,
        field: FieldName,
        words: &str,
    ) {
        let Doc { id, client, .. } = self.doc(field.doc());
        let at = Address { row: row.into(), field };
        let update = typed(client, words);
        self.line.edit(id, Op::Text { at, base: 0, update }).await.expect("it is typed");
    }

    /// Gives a command about the plan as it stands now.
    pub(crate) async fn commands(&mut self, command: Command) {
        self.tries(command).await.expect("it is done");
    }

    pub(crate) async fn tries(&mut self, command: Command) -> Result<(), RecordRefusal> {
        let doc = self.doc(DocKind::Plan).id;
        let id = EditId(Uuid::now_v7());
        let seen = 1_000_000;
        self.line.send(&ClientMessage::RecordCommand { doc, id, command, seen }).await;
        self.line.outcome(id).await.map(|_| ())
    }

    pub(crate) async fn shares_the_plan(&mut self) {
        self.commands(Command::Share).await;
    }

    /// What the list before the signature still asks for.
    pub(crate) async fn is_asked_for(&mut self) -> Vec<GateItem> {
        let doc = self.doc(DocKind::Plan).id;
        self.line.send(&ClientMessage::RecordGate { doc }).await;
        let found = self
            .line
            .until("what is missing", |said| matches!(said, ServerMessage::RecordGate { .. }))
            .await;
        match found {
            ServerMessage::RecordGate { missing, .. } => missing,
            other => panic!("{other:?}"),
        }
    }

    /// Writes everything the list before the signature asks for, except what two people disagree about.
    pub(crate) async fn does_what_the_gate_asks(&mut self) {
        for _round in 0..8 {
            self.looks().await;
            let missing = self.is_asked_for().await;
            let mine: Vec<_> =
                missing.iter().filter(|item| item.code != GateCode::Conflicts).collect();
            if mine.is_empty() {
                return;
            }
            for GateItem { code, at } in mine {
                match at {
                    None => {
                        assert_eq!(*code, GateCode::TeachBack);
                        let told = json!({ "message": "When to take it", "result": "understood" });
                        let values = [(FieldName::TeachBacksContent, told)];
                        self.adds(ListName::TeachBacks, &values).await;
                    }
                    Some(at) if at.field == FieldName::OutlineFollowUp => {
                        self.types(None, at.field, "Call us if you feel dizzy.").await;
                    }
                    Some(at) if at.field == FieldName::AllergyStatement => {
                        let listed = !self.rows(ListName::Allergies).is_empty();
                        let said = if listed { "listed" } else { "no_known" };
                        self.writes(None, at.field, json!(said)).await;
                    }
                    Some(at) => self.writes(at.row, at.field, written(at.field)).await,
                }
            }
        }
        panic!("the gate never opens: {:?}", self.is_asked_for().await);
    }

    /// Signs what they see now.
    pub(crate) async fn signs(&mut self) -> Signing {
        self.looks().await;
        let Doc { id: doc, seq: seen, .. } = self.doc(DocKind::Plan);
        let id = EditId(Uuid::now_v7());
        self.line.send(&ClientMessage::RecordSign { doc, id, seen, step_up: None }).await;
        match self.line.outcome(id).await {
            Ok(_) => Signing::Signed,
            Err(code) => Signing::Refused(code, self.is_asked_for().await),
        }
    }

    /// How a field came to say what it says, the newest first.
    pub(crate) async fn asks_how_it_came(&mut self, row: RowId, field: FieldName) -> Vec<Change> {
        let doc = self.doc(field.doc()).id;
        let at = at(row, field);
        self.line.send(&ClientMessage::RecordHistory { doc, at, before: None }).await;
        let told = self
            .line
            .until("a history", |said| matches!(said, ServerMessage::RecordHistory { .. }))
            .await;
        match told {
            ServerMessage::RecordHistory { changes, .. } => changes,
            other => panic!("{other:?}"),
        }
    }

    /// Everything that ever came over their line.
    pub(crate) fn heard(&self) -> String {
        self.line.texts.join("\n")
    }
}

/// What became of a signature.
#[derive(Debug)]
pub(crate) enum Signing {
    Signed,
    Refused(RecordRefusal, Vec<GateItem>),
}

impl Signing {
    #[track_caller]
    pub(crate) fn is_taken(&self) {
        assert!(matches!(self, Self::Signed), "{self:?}");
    }

    /// Refused for this rule of the sign-off gate, and no other.
    #[track_caller]
    pub(crate) fn is_refused_with(&self, rule: &str) {
        let Self::Refused(code, missing) = self else { panic!("it was signed") };
        assert_eq!(*code, RecordRefusal::NotReady);
        let rules: Vec<&str> = missing.iter().map(|item| rule_of(item.code)).collect();
        assert!(!rules.is_empty() && rules.iter().all(|one| *one == rule), "{missing:?}");
    }
}

/// The name of a rule, as [`GateCode`] tells it.
const fn rule_of(code: GateCode) -> &'static str {
    match code {
        GateCode::Verified => "G1",
        GateCode::Assessed => "G2",
        GateCode::HighProblems => "G3",
        GateCode::Goal => "G4",
        GateCode::Reviewed => "G5",
        GateCode::Touchpoints => "G6",
        GateCode::Duration => "G7",
        GateCode::Conflicts => "G8",
        GateCode::TeachBack => "G9",
        GateCode::Limits => "G10",
        GateCode::Credential => "G11",
    }
}

pub(crate) const fn at(row: RowId, field: FieldName) -> Address {
    Address { row: Some(row), field }
}

/// Whether a field stands in a row of a list.
pub(crate) fn is_in(field: FieldName, list: ListName) -> bool {
    matches!(field.place(), Place::Row(its) | Place::About(its) if its == list)
}

//! Small stories, all of them: every order of sending, every amount of having seen, every mishap at every place.

use clinical::edit::Op;
use clinical::field::{Address, FieldName, ListName};

use super::judge::{Verdict, Violation};
use super::planted::Fault;
use super::world::{PEOPLE, World};
use crate::common::{at, whole};

/// The way through a tree of choices: the same again, up to the last place where another one is left.
#[derive(Default)]
struct Choices {
    path: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    fn of(&mut self, among: usize) -> usize {
        if self.at == self.path.len() {
            self.path.push((0, among));
        }
        self.at += 1;
        self.path[self.at - 1].0
    }

    /// Whether there is another way.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((taken, among)) = self.path.pop() {
            if taken + 1 < among {
                self.path.push((taken + 1, among));
                return true;
            }
        }
        false
    }
}

/// What a person does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A dose of their own, or a choice where several stand.
    Dose,
    /// The dose everybody has heard of.
    SameDose,
    Remove,
    Restore,
    Write,
    Erase,
}

/// What goes wrong after an edit was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    /// The line breaks before the acknowledgement: it is sent again.
    AckLost,
    /// The server dies before it is stored.
    ServerDies,
}

struct Scope {
    edits: usize,
    /// Of one person.
    most: usize,
    acts: &'static [Act],
    mishaps: bool,
}

fn tell(scope: &Scope, choices: &mut Choices, fault: Option<Fault>) -> Verdict {
    let mut world = World::new(fault);
    world.furnish()?;
    let row = world.engine.doc.rows(ListName::Meds)[0];
    let dose = at(row, FieldName::MedsSig);
    let note = whole(FieldName::OutlineFollowUp);
    // Something to erase.
    world.write(0, note, 0x2);
    world.take(0)?;
    world.commit()?;
    for who in 0..PEOPLE {
        world.deliver(who)?;
    }
    let mishap = if scope.mishaps {
        let n = choices.of(1 + 2 * scope.edits);
        let kind = if n.is_multiple_of(2) { Mishap::ServerDies } else { Mishap::AckLost };
        n.checked_sub(1).map(|n| (n / 2, kind))
    } else {
        None
    };
    let mut made = [0; PEOPLE];
    for n in 0..scope.edits {
        // Who is called what makes no difference: the first who acts is the first, and so on.
        let able: Vec<usize> = (0..PEOPLE)
            .filter(|who| made[*who] < scope.most && (*who == 0 || made[*who - 1] > 0))
            .collect();
        let who = able[choices.of(able.len())];
        made[who] += 1;
        for _ in 0..choices.of(world.clients[who].down.len() + 1) {
            world.deliver(who)?;
        }
        act(&mut world, who, scope.acts[choices.of(scope.acts.len())], dose, note);
        world.take(who)?;
        match mishap.filter(|(at, _)| *at == n).map(|(_, kind)| kind) {
            None => world.commit()?,
            Some(Mishap::AckLost) => {
                world.commit()?;
                world.cut(who);
                back(&mut world, who)?;
            }
            Some(Mishap::ServerDies) => {
                // Whatever was said before it is stored has been heard.
                while !world.clients[who].down.is_empty() {
                    world.deliver(who)?;
                }
                world.restart()?;
                for who in 0..PEOPLE {
                    back(&mut world, who)?;
                }
                world.commit()?;
            }
        }
    }
    world.rest()
}

/// Comes back, is shown what is missing, and sends again what has no answer.
fn back(world: &mut World, who: usize) -> Verdict {
    world.connect(who);
    world.take(who)?;
    world.deliver(who)?;
    while !world.clients[who].up.is_empty() {
        world.take(who)?;
    }
    world.commit()
}

fn act(world: &mut World, who: usize, act: Act, dose: Address, note: Address) {
    let row = dose.row.unwrap();
    match act {
        // The words of `World::say`: a number of one's own, or number 2.
        Act::Dose => world.put(who, dose, 0x1f),
        Act::SameDose => world.put(who, dose, 0x2f),
        Act::Remove => world.remove(who, row),
        Act::Restore => {
            let seen = world.clients[who].state.seq;
            world.ask(who, Op::Restore { row, seen }, seen);
        }
        Act::Write => world.write(who, note, 0x2),
        Act::Erase => world.write(who, note, 0),
    }
}

/// All stories of a scope. Answers how many there are, or the first that breaks a promise.
fn walk(scope: &Scope, fault: Option<Fault>) -> Result<u64, (Violation, Vec<usize>)> {
    let mut choices = Choices::default();
    let mut walked = 0;
    loop {
        if let Err(violation) = tell(scope, &mut choices, fault) {
            return Err((violation, choices.path.iter().map(|(taken, _)| *taken).collect()));
        }
        walked += 1;
        if !choices.next() {
            return Ok(walked);
        }
    }
}

const FEW: &[Act] = &[Act::Dose, Act::Remove, Act::Write];
const ALL: &[Act] = &[Act::Dose, Act::SameDose, Act::Remove, Act::Restore, Act::Write, Act::Erase];

fn scopes() -> [(&'static str, Scope); 3] {
    let full = std::env::var("MORTAR_SCALE").as_deref() == Ok("full");
    let (edits, acts) = if full { (4, ALL) } else { (3, FEW) };
    [
        // The promise by its letter: three people, six edits of one dose.
        ("six_doses", Scope { edits: 6, most: 2, acts: &[Act::Dose], mishaps: false }),
        ("acts", Scope { edits, most: edits, acts: ALL, mishaps: false }),
        ("mishaps", Scope { edits: 3, most: 3, acts, mishaps: true }),
    ]
}

#[test]
fn in_every_order_of_a_small_story_nothing_is_lost_and_nothing_invented() {
    for (name, scope) in scopes() {
        match walk(&scope, None) {
            Ok(walked) => {
                println!("METRIC record.exhaustive.{name} {walked} - info edits={}", scope.edits);
                assert!(walked > 1_000, "{walked} orders are not all");
            }
            Err((violation, path)) => panic!("{name} {path:?}: {violation:?}"),
        }
    }
}

#[test]
fn a_small_scope_finds_what_is_planted_in_it() {
    let scope = Scope { edits: 3, most: 3, acts: FEW, mishaps: true };
    for fault in [
        Fault::LastWriterWins,
        Fault::FirstCandidateLost,
        Fault::IncomingLost,
        Fault::DoseMerged,
        Fault::TombstoneWins,
        Fault::ContestForgotten,
        Fault::WordsDropped,
        Fault::ResentTwice,
        Fault::AckBeforeStore,
    ] {
        assert!(walk(&scope, Some(fault)).is_err(), "nobody noticed {fault:?}");
    }
}

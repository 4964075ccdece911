//! A forwarded packet costs no allocation, once everything is warm.

#[cfg(test)]
#[path = "../relay/client.rs"]
#[expect(dead_code, reason = "only a part of the browser is needed here")]
mod client;

#[cfg(test)]
#[path = "../relay/stun.rs"]
#[expect(dead_code, reason = "nobody is asked back here")]
mod stun;

#[cfg(test)]
#[path = "../relay/world.rs"]
#[expect(dead_code, reason = "only a part of the world is needed here")]
mod world;

#[cfg(test)]
mod counting {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    /// The system's allocator, counting for the thread that asks.
    pub(crate) struct Counting;

    thread_local! {
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn count() -> u64 {
        COUNT.with(Cell::get)
    }

    fn note() {
        // At a thread's end its counter is gone, and so is the interest in it.
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    }

    #[expect(
        unsafe_code,
        reason = "a global allocator can only be wrapped by implementing the unsafe trait"
    )]
    // SAFETY: every call is passed on unchanged to the system's allocator, which upholds the contract.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            note();
            // SAFETY: the caller upholds the contract of `alloc`.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            // SAFETY: the pointer came from `System.alloc` above.
            unsafe { System.dealloc(pointer, layout) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            note();
            // SAFETY: the pointer came from `System.alloc` above.
            unsafe { System.realloc(pointer, layout, size) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sfu::plan::CallKey;
    use sfu::{Egress, Flow};

    use crate::client::{Client, Frame};
    use crate::counting::count;
    use crate::world::World;

    const BURSTS: u64 = 300;
    const PACKETS: u64 = 6;

    #[test]
    fn forwarding_two_streams_to_nine_subscribers_allocates_nothing_after_warm_up() {
        let mut world = World::call_of(10);
        world.picture(0, Frame::Key);
        world.picture(1, Frame::Key);
        // The cache fills to its age, tables to their size; every line loses a third, so that sound is repeated.
        for step in 0..300 {
            if step % 30 == 29 {
                (0..10).for_each(|client| world.report_loss(client, 85));
            }
            for publisher in [0, 1] {
                for _ in 0..PACKETS {
                    world.picture(publisher, Frame::Delta);
                }
                world.voice(publisher);
            }
            world.advance(Duration::from_millis(33));
        }
        let mut batches = Vec::new();
        for _ in 0..BURSTS {
            let mut batch = Vec::new();
            for publisher in [0, 1] {
                let path = world.clients[publisher].path;
                for _ in 0..PACKETS {
                    batch.push((path, world.clients[publisher].picture(Frame::Delta)));
                }
                batch.push((path, world.clients[publisher].voice()));
            }
            batches.push(batch);
        }
        let mut egress = Egress::new();
        let before = *world.sfu.counters();
        let mut allocations = 0;
        for mut batch in batches {
            let start = count();
            for (path, bytes) in &mut batch {
                world.sfu.handle_datagram(world.now, *path, bytes);
            }
            while world.sfu.poll_transmit(world.now, &mut egress) == Flow::More {
                egress.clear();
            }
            egress.clear();
            allocations += count() - start;
            // Timers (reports and feedback to publishers) may allocate: they do not run for each packet.
            world.now += Duration::from_millis(33);
            world.sfu.handle_timeout(world.now);
            let _ = world.sfu.poll_transmit(world.now, &mut egress);
            egress.clear();
            for publisher in 0..10 {
                let path = world.clients[publisher].path;
                let mut check = world.clients[publisher].check(crate::stun::Nominate::Yes);
                world.sfu.handle_datagram(world.now, path, &mut check);
            }
            let _ = world.sfu.poll_transmit(world.now, &mut egress);
            egress.clear();
        }

        let forwarded = world.sfu.counters().forwarded_packets - before.forwarded_packets;
        assert_eq!(forwarded, BURSTS * (PACKETS + 1) * 18);
        assert_eq!(allocations, 0, "in {forwarded} packets");
        let redundant = world.sfu.counters().redundant_packets - before.redundant_packets;
        assert_eq!(redundant, BURSTS * 18, "all sound");
    }

    #[test]
    fn cutting_a_scalable_stream_for_eight_subscribers_allocates_nothing_after_warm_up() {
        let mut world = World::new();
        for _ in 0..9 {
            let client = world.join_with(CallKey(1), Client::take_vp9);
            world.connect(client);
        }
        world.admit_all();
        let send = |world: &mut World, kind| {
            let packets = world.clients[0].sizes(kind);
            packets.into_iter().for_each(|packet| world.datagram(0, packet));
            world.settle();
        };
        send(&mut world, Frame::Key);
        for _ in 0..300 {
            send(&mut world, Frame::Delta);
            world.advance(Duration::from_millis(33));
        }
        let path = world.clients[0].path;
        let mut egress = Egress::new();
        let before = *world.sfu.counters();
        let mut allocations = 0;
        for _ in 0..BURSTS {
            let mut batch = world.clients[0].sizes(Frame::Delta);
            world.now += Duration::from_millis(33);
            let start = count();
            for bytes in &mut batch {
                world.sfu.handle_datagram(world.now, path, bytes);
            }
            while world.sfu.poll_transmit(world.now, &mut egress) == Flow::More {
                egress.clear();
            }
            egress.clear();
            allocations += count() - start;
            if world.sfu.poll_timeout().is_some_and(|at| at <= world.now) {
                world.sfu.handle_timeout(world.now);
                let _ = world.sfu.poll_transmit(world.now, &mut egress);
                egress.clear();
            }
            for client in 0..9 {
                let mut check = world.clients[client].check(crate::stun::Nominate::Yes);
                let path = world.clients[client].path;
                world.sfu.handle_datagram(world.now, path, &mut check);
            }
            let _ = world.sfu.poll_transmit(world.now, &mut egress);
            egress.clear();
        }

        let forwarded = world.sfu.counters().forwarded_packets - before.forwarded_packets;
        // Of each picture the smallest size, which fills a tile whose height nobody has told.
        assert_eq!(forwarded, BURSTS * 8);
        assert_eq!(allocations, 0, "in {forwarded} packets");
    }
}

"""A queueing simulation: many small objects, method calls, inheritance, properties and exceptions."""

import heapq
import sys


class Event:
    __slots__ = ("time", "order", "customer")

    def __init__(self, time, order, customer):
        self.time = time
        self.order = order
        self.customer = customer

    def __lt__(self, other):
        return (self.time, self.order) < (other.time, other.order)


class Customer:
    patience = 40

    def __init__(self, name, world):
        self.name = name
        self.world = world
        self.waited = 0

    @property
    def is_tired(self):
        return self.waited > self.patience

    def act(self):
        if self.is_tired:
            raise TimeoutError(self.name)
        desk = self.world.shortest_desk()
        self.waited += desk.serve(self)
        return self.waited


class HurriedCustomer(Customer):
    patience = 15

    def act(self):
        return super().act() // 2 + 1


class Desk:
    def __init__(self, speed):
        self.speed = speed
        self.load = 0

    def serve(self, customer):
        self.load += len(customer.name)
        return self.load // self.speed


class World:
    def __init__(self):
        self.events, self.order, self.seed, self.left = [], 0, 7, 0
        self.desks = [Desk(speed) for speed in (3, 5, 8)]

    def random(self, below):
        self.seed = (self.seed * 48271) % 2147483647
        return self.seed % below

    def shortest_desk(self):
        return min(self.desks, key=lambda desk: desk.load / desk.speed)

    def schedule(self, time, customer):
        self.order += 1
        heapq.heappush(self.events, Event(time, self.order, customer))

    def run(self, count):
        for i in range(200):
            kind = HurriedCustomer if self.random(3) == 0 else Customer
            self.schedule(self.random(50), kind(f"customer {i}", self))
        for _ in range(count):
            event = heapq.heappop(self.events)
            try:
                delay = event.customer.act()
            except TimeoutError:
                self.left += 1
                event.customer.waited = delay = 0
            for desk in self.desks:
                desk.load = max(0, desk.load - 4)
            self.schedule(event.time + delay + self.random(10), event.customer)


world = World()
world.run(int(sys.argv[1]))
print(world.left, world.seed, world.events[0].time, [desk.load for desk in world.desks])

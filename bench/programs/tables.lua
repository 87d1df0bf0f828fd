-- Tables, strings, closures and numbers: a sieve, a string buffer, words counted, and vectors with a metatable.
local count = tonumber(arg[1])

local function sieve(limit)
  local composite, primes = {}, 0
  for i = 2, limit do
    if not composite[i] then
      primes = primes + 1
      for multiple = i * i, limit, i do composite[multiple] = true end
    end
  end
  return primes
end

local function words(size)
  local seed, parts = 1, {}
  for i = 1, size do
    seed = (seed * 1103515245 + 12345) % 2147483648
    parts[i] = string.format("w%d", seed // 1048576)
  end
  local counts, most = {}, ""
  for word in table.concat(parts, " "):gmatch("%S+") do
    counts[word] = (counts[word] or 0) + 1
    if counts[word] > (counts[most] or 0) then most = word end
  end
  return most
end

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Vector) end
function Vector:length() return math.sqrt(self.x * self.x + self.y * self.y) end

local function walk(steps)
  local at, total = setmetatable({ x = 0, y = 0 }, Vector), 0.0
  for i = 1, steps do
    at = at + setmetatable({ x = i % 3 - 1, y = i % 5 - 2 }, Vector)
    total = total + at:length()
  end
  return total
end

for i = 1, count do
  print(sieve(100000 + i), words(20000 + i), string.format("%.6f", walk(100000 + i)))
end

//===- MachinesTest.cpp - Which machines there are, and which are here ----===//
//
// Targets of data only: no machine of theirs has a name that anybody asks for.
//
//===----------------------------------------------------------------------===//

#include "qopt/InitAllTargets.h"
#include "gtest/gtest.h"
#include <cstdlib>

using namespace qopt;

static llvm::StringRef nothing() { return ""; }
/// A CPU that has the features 1 and 2.
static int64_t detect(int64_t wanted) { return wanted & 3; }
static const char *nameOf(int64_t features) {
  return features & 4 ? "feature 4" : "another feature";
}

static const Platform elsewhere = {
    "hexagon-unknown-linux", [] {}, nothing, nothing, {}, detect, nameOf};

namespace {
/// A target of `machines`.
class DataTarget : public TargetBackend {
public:
  DataTarget(llvm::StringRef name, llvm::ArrayRef<Machine> machines)
      : name(name), machines(machines.begin(), machines.end()) {}

  llvm::StringRef getName() const override { return name; }
  llvm::ArrayRef<Machine> getMachines() const override { return machines; }
  kernel::KernelList getKernels(const Machine &) const override { return {}; }
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
  lower(mlir::func::FuncOp, const TargetConfig &,
        WeightsSection &) const override {
    return mlir::failure();
  }
  mlir::FailureOr<CompiledVariant>
  emitDevice(mlir::ModuleOp, const TargetConfig &) const override {
    return mlir::failure();
  }

private:
  llvm::StringRef name;
  std::vector<Machine> machines;
};
} // namespace

/// The platform of this machine, with the features of `detect`.
static Platform makePlatform() {
  TargetRegistry known;
  registerAllTargets(known);
  Platform here = *known.findDefault()->getMachines().front().platform;
  here.detectFeatures = detect;
  here.getFeatureName = nameOf;
  return here;
}

namespace {
class MachinesTest : public testing::Test {
protected:
  MachinesTest() { unsetenv("QOPT_CPU"); }
  ~MachinesTest() override { unsetenv("QOPT_CPU"); }

  Machine cpu(llvm::StringRef name, int64_t required,
              llvm::StringRef alias = "") {
    Machine machine;
    machine.name = name;
    machine.alias = alias;
    machine.platform = &here;
    machine.requiredFeatures = required;
    return machine;
  }

  Platform here = makePlatform();
};
} // namespace

TEST_F(MachinesTest, AreFoundByNameAndAlias) {
  DataTarget target("t", {cpu("old", 1), cpu("new", 3, "newest")});
  EXPECT_EQ(target.findMachine("old"), &target.getMachines()[0]);
  EXPECT_EQ(target.findMachine("newest"), &target.getMachines()[1]);
  EXPECT_EQ(target.findMachine("z80"), nullptr);
  EXPECT_EQ(target.findMachine(""), nullptr);
}

TEST_F(MachinesTest, AreHereWhenTheCpuHasWhatTheyNeed) {
  DataTarget target("t", {cpu("old", 1), cpu("new", 3), cpu("next", 7)});
  EXPECT_TRUE(target.findHere(target.getMachines()[1]));
  Presence next = target.findHere(target.getMachines()[2]);
  EXPECT_FALSE(next);
  EXPECT_EQ(next.detail, "this machine lacks feature 4");
  EXPECT_EQ(target.findBestHere(), &target.getMachines()[1]);
  setenv("QOPT_CPU", "old", 1);
  EXPECT_EQ(target.findHere(target.getMachines()[1]).detail,
            "QOPT_CPU names old");
  EXPECT_EQ(target.findBestHere(), &target.getMachines()[0]);
}

TEST_F(MachinesTest, OfAnotherArchitectureAreNotAsked) {
  Machine machine = cpu("v68", 0);
  machine.platform = &elsewhere;
  DataTarget target("hexagon", machine);
  std::string why = target.findHere(target.getMachines()[0]).detail;
  EXPECT_EQ(why.find("this machine is "), 0u) << why;
  EXPECT_NE(why.find(", not hexagon with linux"), std::string::npos) << why;
  EXPECT_EQ(target.findBestHere(), nullptr);
}

TEST_F(MachinesTest, DevicesTakeTheirHosts) {
  Machine host = cpu("old", 1), poor = cpu("next", 7), device;
  device.name = "device";
  device.host = &host;
  EXPECT_TRUE(DataTarget("d", device).findHere(device));
  device.host = &poor;
  EXPECT_EQ(DataTarget("d", device).findHere(device).detail,
            "this machine lacks feature 4");
}

TEST_F(MachinesTest, ACpuThatIsHereServesAllTargets) {
  Machine foreign = cpu("v68", 0), host = cpu("old", 1), device;
  foreign.platform = &elsewhere;
  device.name = "device";
  device.host = &host;
  TargetRegistry registry;
  EXPECT_EQ(registry.findDefault(), nullptr);
  registry.add(std::make_unique<DataTarget>("hexagon", foreign));
  EXPECT_EQ(registry.findDefault(), registry.find("hexagon"));
  EXPECT_EQ(registry.findCpuFor(*registry.find("hexagon")).first, nullptr);
  registry.add(std::make_unique<DataTarget>("device", device));
  const Machine tiers[] = {host, cpu("new", 3)};
  registry.add(
      std::make_unique<DataTarget>("cpu", llvm::ArrayRef<Machine>(tiers)));
  EXPECT_EQ(registry.findDefault(), registry.find("cpu"));
  for (const auto &target : registry.backends()) {
    auto [owner, machine] = registry.findCpuFor(*target);
    EXPECT_EQ(owner, registry.find("cpu")) << target->getName().str();
    ASSERT_TRUE(machine);
    EXPECT_EQ(machine->name, "new");
  }
}

TEST_F(MachinesTest, AreDescribed) {
  Machine host = cpu("next", 7), device;
  device.name = "device";
  device.host = &host;
  TargetRegistry registry;
  registry.add(std::make_unique<DataTarget>("d", device));
  llvm::json::Array rows = registry.describe();
  EXPECT_EQ(llvm::json::Value(std::move(rows)),
            llvm::json::Value(llvm::json::Array{llvm::json::Object{
                {"target", "d"},
                {"machine", "device"},
                {"host", "next"},
                {"runs_here", false},
                {"detail", "this machine lacks feature 4"}}}));
}

// The file server on real pipes.
#include "file_server.hpp"

int main(int argc, char** argv) {
  return tp::run(argc, argv, file_server);
}
